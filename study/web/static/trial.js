// The page works without this script, which adds: how long the trial took, how long the page was hidden, keys.
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

  // Single keys get in the way of speech input and some screen readers, so they can be switched off.
  const toggle = document.getElementById("shortcuts");
  const remembered = () => {
    try { return localStorage.getItem("ratify-keys") !== "off"; } catch { return true; }
  };
  let keys = toggle !== null && remembered();
  const tell = () => {
    toggle.setAttribute("aria-pressed", String(keys));
    document.documentElement.classList.toggle("with-keys", keys);
  };
  if (toggle) {
    toggle.hidden = false;
    tell();
    toggle.addEventListener("click", () => {
      keys = !keys;
      try { localStorage.setItem("ratify-keys", keys ? "on" : "off"); } catch { /* then only for this page */ }
      tell();
    });
  }

  // The focus stays where it is: on the chosen button, an arrow that is meant to scroll would change the answer.
  const choose = (choice) => {
    const radio = form.querySelector(`input[value="${choice}"]`);
    if (!radio) return;  // the study refuses ties
    radio.checked = true;
    if (document.activeElement.type === "radio") radio.focus({ preventScroll: true });
    document.getElementById("chosen").textContent = radio.closest("label").querySelector("span").textContent;
  };
  document.addEventListener("keydown", (event) => {
    if (!keys || event.ctrlKey || event.altKey || event.metaKey) return;
    const choice = { 1: "left", 2: "right", 3: "tie" }[event.key];
    if (choice) {
      choose(choice);
    } else if (event.key === "Enter" && !event.repeat && form.querySelector(":checked")
      && !document.activeElement.closest("a, button, input, textarea, summary")) {
      event.preventDefault();
      form.requestSubmit();
    }
  });

  const fault = document.getElementById("fault");
  if (fault) {
    const absent = form.querySelector("fieldset.absent");
    (absent || form.querySelector("fieldset")).focus({ preventScroll: absent === null });
  } else {
    document.getElementById("pair").focus({ preventScroll: true });
  }
})();
