// The form of a weekly report: its draft saves itself, a dropped connection loses nothing, two windows know of each other.
// Without this script the form is kept by its button and the server tells of a second window.
"use strict";

(() => {
  const form = document.querySelector("form.report[data-saves]");
  if (!form) return;
  const texts = form.dataset;
  const RETRY = 2500;
  let unsaved = false; // something was typed that the server has not confirmed
  let failed = false; // the last try to save did not reach the server
  let waiting = null; // the button that files, held until the draft is safe
  let timer = null;

  const say = (text) => {
    const place = document.getElementById("saved");
    if (place) place.textContent = text;
  };

  const save = () => {
    clearTimeout(timer);
    htmx.trigger(form, "save");
  };

  const lost = () => {
    failed = true;
    say(waiting ? texts.held : texts.offline);
    clearTimeout(timer);
    timer = setTimeout(save, RETRY);
  };

  form.addEventListener("input", () => { unsaved = true; });
  form.addEventListener("change", () => { unsaved = true; });
  form.addEventListener("htmx:beforeRequest", () => { unsaved = false; });
  for (const name of ["htmx:sendError", "htmx:timeout"]) {
    form.addEventListener(name, () => { unsaved = true; lost(); });
  }
  form.addEventListener("htmx:responseError", (event) => {
    unsaved = true;
    if (event.detail.xhr.status >= 500) lost();
    else if (waiting) file();
  });
  form.addEventListener("htmx:afterRequest", (event) => {
    if (!event.detail.successful) return;
    failed = false;
    if (waiting) file();
  });
  window.addEventListener("online", () => { if (failed) save(); });

  // Filing first makes sure that the server is there and has everything; then the form goes as it would without a script.
  let safe = false;
  const file = () => {
    const button = waiting;
    waiting = null;
    safe = true;
    form.requestSubmit(button);
  };
  form.addEventListener("submit", (event) => {
    if (safe || event.submitter?.value !== "submit") {
      unsaved = false;
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    waiting = event.submitter;
    save();
  });
  window.addEventListener("pageshow", () => { safe = false; waiting = null; });
  window.addEventListener("beforeunload", (event) => {
    if (unsaved && failed) event.preventDefault();
  });

  // Another window with the same report in this browser.
  if (!("BroadcastChannel" in window)) return;
  const channel = new BroadcastChannel(`mops-report-${texts.saves}`);
  const warning = document.getElementById("two-windows");
  channel.addEventListener("message", (event) => {
    if (event.data === "hello") channel.postMessage("here");
    if (warning) warning.hidden = event.data === "bye";
  });
  channel.postMessage("hello");
  window.addEventListener("pagehide", () => channel.postMessage("bye"));
})();
