// The meeting: one slide at a time, by keys and by the rail, with a timer and a full screen. Everything is in the page already,
// so a dropped connection changes nothing. Without this script the slides stand one under another.
"use strict";

(() => {
  const stage = document.querySelector("[data-stage]");
  if (!stage) return;
  const slides = [...stage.querySelectorAll(".slide")];
  const links = [...stage.querySelectorAll(".rail a")];
  const timer = stage.querySelector(".timer");
  const full = stage.querySelector("[data-full]");
  const each = Number(stage.dataset.seconds);
  let at = 0;
  let left = each;
  let paused = false;

  const clock = (seconds) => `${seconds < 0 ? "−" : ""}${Math.floor(Math.abs(seconds) / 60)}:${String(Math.abs(seconds) % 60).padStart(2, "0")}`;

  const tell = () => {
    timer.replaceChildren(`${clock(left)} `, Object.assign(document.createElement("small"), { textContent: `${stage.dataset.of} ${clock(each)}` }));
    timer.classList.toggle("bad", left < 0);
  };

  const show = (number, focus) => {
    at = Math.min(Math.max(number, 0), slides.length - 1);
    slides.forEach((slide, index) => { slide.hidden = index !== at; });
    links.forEach((link, index) => {
      if (index === at) link.setAttribute("aria-current", "step");
      else link.removeAttribute("aria-current");
    });
    left = each;
    tell();
    history.replaceState(null, "", `#${slides[at].id}`);
    if (focus) {
      const head = slides[at].querySelector("h2");
      head.tabIndex = -1;
      head.focus();
    }
  };

  const keys = {
    ArrowRight: () => show(at + 1, true), PageDown: () => show(at + 1, true),
    ArrowLeft: () => show(at - 1, true), PageUp: () => show(at - 1, true),
    Home: () => show(0, true), End: () => show(slides.length - 1, true),
    " ": () => { paused = !paused; timer.classList.toggle("muted", paused); },
    f: () => fullScreen(), "а": () => fullScreen(),
  };

  const fullScreen = () => {
    if (document.fullscreenElement) document.exitFullscreen();
    else document.documentElement.requestFullscreen?.();
  };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("a, button, input, select, textarea") && event.key === " ") return;
    const act = keys[event.key.length === 1 ? event.key.toLowerCase() : event.key];
    if (act) { event.preventDefault(); act(); }
  });
  links.forEach((link, index) => link.addEventListener("click", (event) => { event.preventDefault(); show(index, true); }));
  full.addEventListener("click", fullScreen);
  setInterval(() => { if (!paused) { left -= 1; tell(); } }, 1000);

  for (const hidden of stage.querySelectorAll(".timer, [data-full], .keys")) hidden.hidden = false;
  const asked = slides.findIndex((slide) => `#${slide.id}` === location.hash);
  show(asked < 0 ? 0 : asked, false);
})();
