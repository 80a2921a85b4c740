// The meeting: one slide at a time, by keys and by the rail, with clocks and a full screen. The slides are in the page already,
// so a dropped connection changes nothing. The bar with the state of the meeting is asked for every two seconds: whoever
// presents turns everybody's slides, whoever turned away follows again at a press. Without this script the slides stand one
// under another.
"use strict";

(() => {
  const stage = document.querySelector("[data-stage]");
  if (!stage) return;
  const slides = [...stage.querySelectorAll(".slide")];
  const links = [...stage.querySelectorAll(".rail a")];
  const timer = stage.querySelector(".timer");
  const full = stage.querySelector("[data-full]");
  const offline = stage.querySelector("[data-offline]");
  const place = document.getElementById("in-place");
  const each = Number(stage.dataset.seconds);
  const bar = () => document.getElementById("meeting-bar");
  const live = () => ["running", "suspended"].includes(bar().dataset.state);
  const mine = () => "mine" in bar().dataset;
  let at = 0;
  let shown = 0;
  let run = 0;
  let paused = false;
  let following = true;
  let joined = false;
  let unsent = null;

  const clock = (seconds) => `${seconds < 0 ? "−" : ""}${Math.floor(Math.abs(seconds) / 60)}:${String(Math.abs(seconds) % 60).padStart(2, "0")}`;

  const tell = () => {
    const left = each - shown;
    timer.replaceChildren(`${clock(left)} `, Object.assign(document.createElement("small"), { textContent: `${stage.dataset.of} ${clock(each)}` }));
    timer.classList.toggle("bad", left < 0);
    const whole = bar().querySelector(".run");
    if (whole) whole.textContent = `${whole.dataset.word} ${clock(run)}`;
  };

  const post = (url, fields) => fetch(url, { method: "POST", body: new URLSearchParams({ ...fields, csrfmiddlewaretoken: stage.dataset.token }) });

  const send = async (code) => {
    unsent = code;
    try {
      await post(stage.dataset.turn, { slide: code });
      if (unsent === code) unsent = null;
    } catch { /* no connection: sent with the next news */ }
  };

  const show = (number, focus) => {
    const before = at;
    at = Math.min(Math.max(number, 0), slides.length - 1);
    slides.forEach((slide, index) => { slide.hidden = index !== at; });
    links.forEach((link, index) => {
      if (index === at) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    if (at !== before) { shown = 0; place.hidden = true; place.replaceChildren(); }
    tell();
    // Not on the first look: a browser that finds an address named while it loads scrolls to it, past the page's head.
    if (at !== before) history.replaceState(null, "", `#${slides[at].id}`);
    if (focus) {
      const head = slides[at].querySelector("h2");
      head.tabIndex = -1;
      head.focus({ preventScroll: true });
      window.scrollTo(0, 0);
    }
  };

  const offerToFollow = () => {
    const button = bar().querySelector("[data-follow]");
    if (button) button.hidden = mine() || following;
  };

  const turn = (number) => {
    show(number, true);
    if (!live()) return;
    if (mine()) send(slides[at].dataset.code);
    else { following = false; offerToFollow(); }
  };

  const follow = () => {
    const told = slides.findIndex((slide) => slide.dataset.code === bar().dataset.slide);
    if (told >= 0 && told !== at) show(told, false);
    shown = Number(bar().dataset.shown);
    tell();
  };

  const hear = () => {
    run = Number(bar().dataset.run);
    if (live() && !joined) { joined = true; post(stage.dataset.join, {}).catch(() => { joined = false; }); }
    if (live() && !mine() && following) follow();
    offerToFollow();
    tell();
  };

  const keys = {
    ArrowRight: () => turn(at + 1), PageDown: () => turn(at + 1),
    ArrowLeft: () => turn(at - 1), PageUp: () => turn(at - 1),
    Home: () => turn(0), End: () => turn(slides.length - 1),
    " ": () => { paused = !paused; timer.classList.toggle("muted", paused); },
    f: () => fullScreen(), "а": () => fullScreen(),
  };

  const fullScreen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, select, textarea")) return;
    if (event.target.closest("a, button") && event.key === " ") return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  });
  links.forEach((link, index) => link.addEventListener("click", (event) => { event.preventDefault(); turn(index); }));
  full.addEventListener("click", fullScreen);
  stage.addEventListener("click", (event) => {
    if (event.target.closest("[data-follow]")) { following = true; follow(); offerToFollow(); }
    const link = event.target.closest("[data-in-place]");
    if (!link || event.ctrlKey || event.metaKey || !window.htmx) return;
    event.preventDefault();
    window.htmx.ajax("GET", link.href, { source: place, target: place, select: "#main .aside-stick, #settle", swap: "innerHTML" });
  });

  // A form on a slide that was refused says so in its place, as its own page would.
  document.body.addEventListener("htmx:beforeSwap", (event) => {
    if (event.detail.target === place && event.detail.xhr.status >= 400 && event.detail.xhr.status < 500) event.detail.shouldSwap = true;
  });
  // A boosted form pushes its address whatever hx-push-url says; the meeting stays where it is.
  document.body.addEventListener("htmx:beforeHistoryUpdate", (event) => {
    if (event.detail.target === place) Object.assign(event.detail.history, { type: "replace", path: location.href });
  });
  document.body.addEventListener("htmx:afterSettle", (event) => {
    if (event.detail.target !== place) return;
    place.hidden = false;
    place.querySelector("[data-focus], h2, legend")?.scrollIntoView({ block: "nearest" });
  });
  document.body.addEventListener("htmx:sendError", () => { offline.hidden = false; });
  document.body.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.xhr?.status) return;
    offline.hidden = true;
    if (unsent && mine()) send(unsent);
  });
  document.body.addEventListener("htmx:afterSwap", (event) => { if (event.target.closest?.("#meeting-bar") || event.detail.elt?.id === "meeting-bar") hear(); });

  setInterval(() => {
    const goes = bar().dataset.state === "running" || (!live() && !paused);
    if (goes) { shown += 1; run += 1; tell(); }
  }, 1000);

  for (const hidden of stage.querySelectorAll(".timer, [data-full], .keys")) hidden.hidden = false;
  const asked = slides.findIndex((slide) => `#${slide.id}` === location.hash);
  show(asked < 0 ? 0 : asked, false);
  if (live()) follow();
  hear();
})();
