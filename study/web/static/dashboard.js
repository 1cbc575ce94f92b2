// The page works without this script, which counts again by itself, if asked, without moving the page.
"use strict";
(() => {
  const EVERY = 30_000;
  const box = document.getElementById("by-itself");
  if (!box) return;
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const remembered = () => { try { return sessionStorage.getItem("ratify-refresh") === "on"; } catch { return false; } };
  const remember = (on) => { try { sessionStorage.setItem("ratify-refresh", on ? "on" : "off"); } catch { /* then only for this page */ } };
  let timer = 0;

  // Only what is new is exchanged: what somebody reads, types or has unfolded stays where it is.
  const key = (part) => part.id || part.getAttribute("aria-labelledby") || part.getAttribute("aria-label");
  const take = (fresh) => {
    const peers = new Map([...fresh.querySelectorAll("main > section")].map((part) => [key(part), part]));
    for (const old of document.querySelectorAll("main > section")) {
      const peer = peers.get(key(old));
      const active = old.contains(document.activeElement) ? document.activeElement : null;
      const unfolded = active?.matches("summary") ? active.parentNode.id : "";
      if (!peer || (active && !unfolded) || old.querySelector("input[type=file]")) continue;
      for (const part of old.querySelectorAll("details[id][open]")) fresh.getElementById(part.id)?.setAttribute("open", "");
      if (peer.isEqualNode(old)) continue;
      const places = [...old.querySelectorAll(".scroll")].map((part) => [part.scrollLeft, part.scrollTop]);
      const now = document.importNode(peer, true);
      old.replaceWith(now);
      if (unfolded) document.getElementById(unfolded)?.querySelector("summary").focus({ preventScroll: true });
      [...now.querySelectorAll(".scroll")].forEach((part, n) => {
        if (places[n]) [part.scrollLeft, part.scrollTop] = places[n];
      });
    }
    document.getElementById("counted").textContent = fresh.getElementById("counted").textContent;
  };

  const count = async () => {
    const note = document.getElementById("not-counted");
    try {
      const answer = await fetch(location.href, { cache: "no-store" });
      if (answer.redirected) return void location.reload();  // signed out in the meantime
      if (!answer.ok) throw new Error(String(answer.status));
      const [x, y] = [scrollX, scrollY];
      const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
      if (fresh.querySelector(".alarm") && !document.querySelector(".alarm")) return void location.reload();
      take(fresh);
      scrollTo({ left: x, top: y, behavior: "instant" });
      note.hidden = true;
    } catch { note.hidden = false; }
  };

  const set = (on) => {
    clearInterval(timer);
    timer = on ? setInterval(() => { if (!document.hidden) count(); }, EVERY) : 0;
  };
  box.parentElement.hidden = false;
  // whoever wants less motion turns it on for each page, and is never surprised by it
  box.checked = remembered() && !calm.matches;
  set(box.checked);
  box.addEventListener("change", () => { remember(box.checked); set(box.checked); if (box.checked) count(); });
  document.getElementById("refresh").addEventListener("submit", (event) => { event.preventDefault(); count(); });
})();
