// Says that the film was seen to its end, and then offers to go on. Without this script, going on is offered at once
// and is possible when as much time has passed as the film lasts.
"use strict";
(() => {
  const film = document.getElementById("film");
  const onward = document.getElementById("when-ended");
  const offer = () => { if (onward) onward.hidden = false; };
  const tell = async (attempt) => {
    const { ended, visit, step, token } = film.dataset;
    try {
      const answer = await fetch(ended, {
        method: "POST", keepalive: true, headers: { Accept: "application/json" },
        body: new URLSearchParams({ csrf_token: token, visit, step }),
      });
      if (answer.ok) {
        offer();
        return;
      }
    } catch { /* tried again below */ }
    if (attempt < 8) setTimeout(tell, 1000 * attempt, attempt + 1);
    else offer();
  };
  film.addEventListener("ended", () => tell(1));
  const broken = () => {
    document.getElementById("broken").textContent = document.getElementById("broken-words").textContent;
    offer();
  };
  film.addEventListener("error", broken);
  film.querySelector("source").addEventListener("error", broken);
})();
