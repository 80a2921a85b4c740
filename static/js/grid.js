// The grid of figures by keyboard: arrows, Enter and Esc; a pasted range is spread by the server, Ctrl+Z takes it back; what
// is typed is kept as a draft. Without this script the same buttons stand on the page.
"use strict";

const KEEP_AFTER = 800;

for (const place of document.querySelectorAll("[data-grid]")) {
  const typed = new Set();
  let timer = 0;
  let busy = Promise.resolve();

  const form = () => place.querySelector("form");
  const status = (text) => {
    const line = place.querySelector("#grid-status");
    if (line) line.textContent = text;
  };
  const isCell = (element) => element.matches?.("tbody input[id]");
  const rows = () => [...place.querySelectorAll("tbody tr")].map((row) => [...row.querySelectorAll("input[id]")]);
  const neighbour = (input, down, right) => {
    const grid = rows();
    const row = grid.findIndex((cells) => cells.includes(input));
    return grid[row + down]?.[grid[row].indexOf(input) + right];
  };
  const go = (event, down, right) => {
    const next = neighbour(event.target, down, right);
    if (!next) return;
    event.preventDefault();
    next.focus();
  };

  // ------------------------------------------------------------ the server
  const post = (body, accept) =>
    fetch(form().action, { method: "POST", body, headers: { Accept: accept }, credentials: "same-origin" });

  const replace = async (act, extra) => {
    clearTimeout(timer);
    await busy;
    const focused = document.activeElement?.id;
    const body = new FormData(form());
    body.set("act", act);
    for (const [name, value] of Object.entries(extra)) body.set(name, value);
    try {
      const response = await post(body, "text/html");
      const found = new DOMParser().parseFromString(await response.text(), "text/html");
      const fresh = found.querySelector("[data-grid]");
      if (!fresh) throw new Error(response.status);
      typed.clear();
      place.replaceChildren(...fresh.childNodes);
      place.dataset.undo = fresh.dataset.undo;
      const title = document.querySelector("h1");
      if (response.ok) {
        title.replaceChildren(...found.querySelector("h1").childNodes);
        history.replaceState(null, "", response.url);
        for (const id of ["from", "to", "channel"]) document.getElementById(id).value = found.getElementById(id).value;
      }
      (place.querySelector("#errors") || document.getElementById(focused) || rows()[0]?.[0])?.focus();
    } catch {
      status(place.dataset.failed);
    }
  };

  const mark = (input, reason) => {
    const cell = input.closest("td");
    cell.querySelector(".error")?.remove();
    cell.classList.toggle("w3", Boolean(reason));
    cell.classList.add("waits");
    input.toggleAttribute("aria-invalid", Boolean(reason));
    if (!reason) {
      input.removeAttribute("aria-describedby");
      return;
    }
    const said = document.createElement("p");
    said.className = "error";
    said.id = `${input.id}-error`;
    said.textContent = reason;
    input.setAttribute("aria-invalid", "true");
    input.setAttribute("aria-describedby", said.id);
    cell.append(said);
    said.scrollIntoView({ block: "nearest" }); // from under the bar that sticks to the bottom
  };

  const draft = () => {
    const body = new FormData();
    for (const name of ["csrfmiddlewaretoken", "from", "to"]) body.set(name, form().elements[name].value);
    body.set("act", "draft");
    for (const input of typed) {
      body.set(input.name, input.value);
      const seen = input.closest("tr").querySelector("input[type=hidden]");
      body.set(seen.name, seen.value);
    }
    return body;
  };

  const keep = () => {
    if (!typed.size) return;
    const sent = [...typed];
    const body = draft();
    typed.clear();
    busy = (async () => {
      try {
        const response = await post(body, "application/json");
        const answer = await response.json();
        for (const input of sent) if (!typed.has(input)) mark(input, answer.errors[input.name]);
        status(answer.said);
      } catch {
        sent.forEach((input) => typed.add(input));
        status(place.dataset.failed);
      }
    })();
  };

  // ------------------------------------------------------------ the keys
  place.addEventListener("focusin", (event) => {
    if (!isCell(event.target)) return;
    event.target.dataset.was = event.target.value;
    event.target.select();
  });

  place.addEventListener("keydown", (event) => {
    const undoes = event.key.toLowerCase() === "z" || event.code === "KeyZ";
    const isChanged = isCell(event.target) && event.target.value !== event.target.dataset.was;
    if (undoes && (event.ctrlKey || event.metaKey) && !event.shiftKey && place.dataset.undo && !isChanged && event.target.id !== "block") {
      event.preventDefault();
      replace("undo", {});
      return;
    }
    if (!isCell(event.target) || event.altKey || event.isComposing) return;
    const { selectionStart: start, selectionEnd: end, value } = event.target;
    const whole = start === 0 && end === value.length;
    if (event.key === "ArrowUp") go(event, -1, 0);
    else if (event.key === "ArrowDown") go(event, 1, 0);
    else if (event.key === "ArrowLeft" && (whole || end === 0)) go(event, 0, -1);
    else if (event.key === "ArrowRight" && (whole || start === value.length)) go(event, 0, 1);
    else if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form().requestSubmit(form().querySelector("[data-save]"));
    } else if (event.key === "Enter") {
      event.preventDefault();
      neighbour(event.target, event.shiftKey ? -1 : 1, 0)?.focus();
    } else if (event.key === "Escape") {
      event.preventDefault();
      event.target.value = event.target.dataset.was;
      event.target.select();
      event.target.dispatchEvent(new Event("input", { bubbles: true }));
    }
  });

  place.addEventListener("input", (event) => {
    if (!isCell(event.target)) return;
    typed.add(event.target);
    clearTimeout(timer);
    timer = setTimeout(keep, KEEP_AFTER);
  });

  place.addEventListener("paste", (event) => {
    if (!isCell(event.target)) return;
    const text = event.clipboardData.getData("text/plain");
    if (!/[\t\n]/.test(text.replace(/\r?\n$/, ""))) return;
    event.preventDefault();
    replace("paste", { block: text, anchor: event.target.name });
  });

  window.addEventListener("pagehide", () => {
    if (typed.size) navigator.sendBeacon(form().action, draft());
  });
  place.addEventListener("submit", () => typed.clear());
}
