// The page works without this script. With it, choosing by mouse or finger neither moves the page nor leaves the
// focus on the choice, where an arrow key that is meant to scroll would change the answer. Keys choose as ever.
"use strict";
document.addEventListener("click", (event) => {
  const label = event.target.closest("label.option");
  const radio = label && label.querySelector('input[type="radio"]');
  // a click that comes from a key, or from the label of this radio, has no pointer
  if (!radio || event.detail === 0) return;
  if (event.target !== radio) {
    event.preventDefault();  // the browser would focus the radio button and scroll to it
    if (!radio.checked) {
      radio.checked = true;
      radio.dispatchEvent(new Event("change", { bubbles: true }));
    }
  }
  radio.focus({ preventScroll: true });  // so that Tab goes on from here
  radio.blur();
});
