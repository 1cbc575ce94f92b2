// The page works without this script: it loads itself again. With it, it does so only when the coach has written, and
// the focus goes to what is new, so that it is read out once.
"use strict";
(() => {
  const owed = document.getElementById("owed");
  const ask = async () => {
    try {
      const answer = await fetch(owed.dataset.poll, {
        headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(20000),
      });
      const given = answer.ok ? await answer.json() : { owes: true };
      if (given.go) {
        location.assign(given.go);
        return;
      }
      if (!given.owes) {
        location.reload();
        return;
      }
    } catch { /* asked again below */ }
    setTimeout(ask, 1000);
  };
  setTimeout(ask, 1000);
})();
