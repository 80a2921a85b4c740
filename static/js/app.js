// The one script of every page. Everything works without it; it only makes some steps shorter.
"use strict";

// Radio groups that are a form of their own submit at once.
document.addEventListener("change", (event) => {
  if (event.target.closest("[data-autosubmit]")) event.target.form.requestSubmit();
});

// A window of a new stop-rule brings the KPI, channel and proposal that suit it, where nobody has chosen others.
document.addEventListener("change", (event) => {
  if (event.target.matches(".rule-form select")) event.target.dataset.chosen = "";
  if (!event.target.matches(".rule-form [name=window]")) return;
  for (const select of event.target.form.querySelectorAll("[data-event], [data-budget]")) {
    if ("chosen" in select.dataset) continue;
    select.dataset.usual ??= select.value;
    select.value = select.dataset[event.target.value] ?? select.dataset.usual;
  }
}, true);

// Dialogs: browsers that do not know `command` yet open and close them here.
document.addEventListener("click", (event) => {
  const opener = event.target.closest("[commandfor]");
  if (!opener || "commandForElement" in HTMLButtonElement.prototype) return;
  const dialog = document.getElementById(opener.getAttribute("commandfor"));
  if (opener.getAttribute("command") === "show-modal") dialog.showModal();
  if (opener.getAttribute("command") === "close") dialog.close();
});

// After a refused form the summary of errors takes the focus.
document.querySelector("[data-focus]")?.focus();

// A chosen option may name a dialog that asks before the form is sent; without this script the form is simply sent.
// Asked on the way down, before HTMX sends a form that stands on a slide.
document.addEventListener("submit", (event) => {
  const asks = event.target.querySelector(":checked[data-confirm]");
  if (!asks || event.submitter?.hasAttribute("data-confirmed")) return;
  event.preventDefault();
  event.stopImmediatePropagation();
  document.getElementById(asks.dataset.confirm).showModal();
}, true);

// A form is submitted once: a second press of the button does nothing.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) event.preventDefault();
  else if (event.target.method === "post") event.target.dataset.sent = "1";
});
window.addEventListener("pageshow", () => {
  for (const form of document.forms) delete form.dataset.sent;
});
