// Adds to a page that works without it: how long the pair took, how long the page was hidden, keys.
"use strict";
(() => {
  const form = document.querySelector("form");
  const began = performance.now();
  let hiddenSince = document.hidden ? began : null;
  let hidden = 0;

  document.addEventListener("visibilitychange", () => {
    const now = performance.now();
    if (document.hidden) {
      hiddenSince = now;
    } else if (hiddenSince !== null) {
      hidden += now - hiddenSince;
      hiddenSince = null;
    }
  });

  form.addEventListener("submit", () => {
    form.elements.response_ms.value = Math.round(performance.now() - began);
    form.elements.hidden_ms.value = Math.round(hidden);
  });

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.altKey || event.metaKey) return;
    const choice = { 1: "left", 2: "right" }[event.key];
    if (!choice) return;
    const radio = form.querySelector(`input[value="${choice}"]`);
    radio.checked = true;
    radio.focus({ preventScroll: true });
  });

  document.documentElement.classList.add("with-keys");
  const missing = document.getElementById("missing");
  if (missing) {
    form.querySelector('input[type="radio"]').focus({ preventScroll: true });
  } else {
    document.getElementById("pair").focus({ preventScroll: true });
  }
})();
