// The page works without this script: a form is sent, and the page loads itself again. With it, messages come and go
// in place, the server hears whether the page is seen, and what a message took to write is counted (never what was
// typed). Everything that people or models wrote becomes text, never HTML.
"use strict";
(() => {
  const page = document.getElementById("talk");
  const root = document.documentElement;
  const at = (id) => document.getElementById(id);
  const [form, box, log, messages, notice] = ["send", "text", "log", "messages", "notice"].map(at);
  const said = (name) => {
    const found = page.querySelector(`[data-word="${name}"]`);
    return found ? found.textContent : "";
  };
  const RETRIES = 6, PATIENCE = 20000;
  let state = JSON.parse(page.dataset.state);
  let received = performance.now();
  let have = messages.children.length;
  let sending = false, missed = 0, timer = null, asked = 0;

  root.classList.add("with-script");
  box.readOnly = false;

  // ---- What it took to write: counts that survive a reload, together with the draft --------------
  const KEY = `ratify-draft-${state.conversation_id}`;
  const fresh = () => ({ turn: state.turn, text: "", keys: 0, pasted: 0, composing: 0, hidden: 0 });
  const kept = () => {
    try { return JSON.parse(sessionStorage.getItem(KEY)); } catch { return null; }
  };
  let draft = fresh();
  const before = kept();
  if (before && before.turn === state.turn) {
    draft = { ...draft, ...before };
    if (!box.value) box.value = before.text;
  }
  let seenSince = document.hidden ? null : performance.now();
  let composingSince = null, hiddenSince = document.hidden ? performance.now() : null;
  const settle = () => {
    const now = performance.now();
    if (composingSince !== null) { draft.composing += now - composingSince; composingSince = now; }
    if (hiddenSince !== null) { draft.hidden += now - hiddenSince; hiddenSince = now; }
  };
  const keep = () => {
    draft.text = box.value;
    try { sessionStorage.setItem(KEY, JSON.stringify(draft)); } catch { /* then only for this page */ }
  };
  const clear = () => {
    draft = fresh();
    composingSince = null;
    box.value = "";
    try { sessionStorage.removeItem(KEY); } catch { /* nothing was kept */ }
  };
  box.addEventListener("keydown", (event) => {
    if (!["Shift", "Control", "Alt", "Meta", "CapsLock", "Tab"].includes(event.key)) draft.keys += 1;
    if (composingSince === null && !document.hidden) composingSince = performance.now();
  });
  box.addEventListener("beforeinput", (event) => {
    const pastes = ["insertFromPaste", "insertFromPasteAsQuotation", "insertFromDrop", "insertFromYank"];
    if (!pastes.includes(event.inputType)) return;
    if (page.dataset.paste === "refuse") {
      event.preventDefault();
      say("no_paste");
      return;
    }
    const text = event.data ?? (event.dataTransfer ? event.dataTransfer.getData("text/plain") : "");
    const room = box.maxLength - box.value.length + (box.selectionEnd - box.selectionStart);
    draft.pasted += Math.min([...text].length, Math.max(room, 0));
  });
  box.addEventListener("input", () => {
    if (composingSince === null && !document.hidden) composingSince = performance.now();
    keep();
  });

  // ---- What the page says ------------------------------------------------------------------------
  const CALM = ["idle", "waiting", "slow"], UNSENT = ["late", "over"];
  let saying = notice.textContent.trim() ? "server" : "";
  const say = (name) => {
    if (name === saying) return;
    saying = name;
    notice.textContent = name ? said(name) : "";
    notice.classList.toggle("calm", CALM.includes(name));
  };
  const add = (one) => {
    const item = document.createElement("li");
    item.className = `said ${one.speaker === "supporter" ? "supporter" : "partner"}`;
    const who = document.createElement("span"), words = document.createElement("p");
    who.className = "who";
    who.textContent = said(one.speaker === "supporter" ? "you" : "partner");
    words.className = "words";
    words.dir = "auto";
    words.textContent = one.text;
    item.append(who, words);
    messages.append(item);
    if (one.speaker !== "supporter") {
      const spoken = document.createElement("p");
      spoken.textContent = `${said("partner")}: ${one.text}`;
      at("announced").replaceChildren(spoken);
    }
  };
  const clockFace = (ms) => {
    const seconds = Math.ceil(Math.max(ms, 0) / 1000);
    return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, "0")}`;
  };
  // the clock will stand when so much is left, unless another message comes first
  let stop_at = 0;
  const now_left = () => {
    if (state.clock !== "running") return state.remaining_ms;
    return Math.max(state.remaining_ms - (performance.now() - received), Math.min(stop_at, state.remaining_ms));
  };
  const tick = () => {
    const left = at("left");
    if (!left) return;
    const face = clockFace(now_left());
    if (left.textContent !== face) left.textContent = face;
  };
  const stands = () => {
    const line = at("stands");
    const name = state.clock === "running" ? "" : `clock_${state.clock}`;
    const words = name ? said(name) : "";
    if (line && line.textContent !== words) line.textContent = words;
  };

  const show = (given) => {
    if (given.go) {
      location.assign(given.go);
      return;
    }
    if (given.conversation_id !== state.conversation_id) {  // another visit was begun in this browser
      location.reload();
      return;
    }
    const follows = Math.abs(log.scrollTop) < 40;
    state = given;
    received = performance.now();
    given.messages.slice(Math.max(0, have - given.from)).forEach(add);
    have = messages.children.length;
    if (draft.turn !== state.turn && !sending) draft = { ...draft, turn: state.turn };  // another window was first
    at("typing").hidden = !state.owes;
    at("leave").hidden = state.over || !state.may_leave;
    const focused = document.activeElement === box;
    form.hidden = state.over;
    at("onward").hidden = !state.over;
    at("why-over").textContent = state.why_over;
    // not to the button: the next space that somebody types would press it
    if (state.over && focused) at("why-over").focus({ preventScroll: true });
    tick();
    stands();
    if (state.over) say(UNSENT.includes(saying) ? saying : "");
    else if (state.in_grace) say("grace");
    else if (state.owes && state.waiting_seconds > 20) say("slow");
    else if (state.clock === "idle") say("idle");
    else if (["grace", "slow", "idle", "offline", "waiting"].includes(saying)) say("");
    if (follows) log.scrollTop = 0;
  };

  // ---- Asking: each second while something is owed, else every ten; this is also the heartbeat ----
  const pause = () => {
    if (state.over) return 10000;
    if (state.owes || state.in_grace) return 1000;
    return state.clock === "running" ? Math.min(10000, Math.max(now_left() - stop_at + 100, 300)) : 10000;
  };
  const later = (ms) => {
    clearTimeout(timer);
    timer = setTimeout(poll, ms);
  };
  const poll = async () => {
    clearTimeout(timer);
    const number = asked += 1;
    try {
      // for how long the page has been seen without a break, so that a second window takes nothing from this one
      const seen = seenSince === null ? 0 : Math.round(performance.now() - seenSince);
      const beat = `visible=${document.hidden ? 0 : 1}&seen_ms=${seen}&have=${have}`;
      const answer = await fetch(`${page.dataset.poll}?${beat}`, {
        headers: { Accept: "application/json" }, cache: "no-store", keepalive: document.hidden,
        signal: AbortSignal.timeout(PATIENCE),
      });
      if (!answer.ok) throw new Error(String(answer.status));
      const given = await answer.json();
      missed = 0;
      if (number === asked && !sending) show(given);
    } catch {
      missed += 1;
      if (missed > 1 && !sending) say("offline");
    }
    if (number === asked) later(missed ? Math.min(1000 * 2 ** missed, 10000) : pause());
  };
  document.addEventListener("visibilitychange", () => {
    settle();
    hiddenSince = document.hidden ? performance.now() : null;
    seenSince = document.hidden ? null : performance.now();
    composingSince = null;
    poll();
  });

  // ---- Sending: the same message may be sent any number of times, and is kept once ----------------
  const wait = (ms) => new Promise((done) => { setTimeout(done, ms); });
  const post = async (body) => {
    for (let attempt = 1; ; attempt += 1) {
      try {
        const answer = await fetch(form.action, {
          method: "POST", body, headers: { Accept: "application/json" }, signal: AbortSignal.timeout(PATIENCE),
        });
        const json = (answer.headers.get("Content-Type") || "").startsWith("application/json");
        if (json) return await answer.json();
        if (answer.status < 500) return { kind: answer.status === 413 ? "too_long" : "stale" };
      } catch { /* the network, or a server that is being started again */ }
      if (attempt === RETRIES) return { kind: "unsent" };
      say("again");
      await wait(1000 * attempt);
    }
  };
  const send = async () => {
    if (sending) return;
    if (!box.value.trim()) {
      say("empty");
      box.focus();
      return;
    }
    settle();
    const fields = form.elements;
    fields.turn.value = state.turn;
    fields.compose_ms.value = Math.round(draft.composing);
    fields.keys.value = draft.keys;
    fields.pasted_characters.value = draft.pasted;
    fields.hidden_ms.value = Math.round(draft.hidden);
    const body = new URLSearchParams(new FormData(form));
    body.set("have", have);
    sending = true;
    box.readOnly = true;  // not disabled: the focus stays where it is
    form.setAttribute("aria-busy", "true");
    const given = await post(body);
    sending = false;
    box.readOnly = false;
    form.removeAttribute("aria-busy");
    asked += 1;  // what was asked before the message is out of date
    if (given.go) {  // the visit is somewhere else, or over
      location.assign(given.go);
      return;
    }
    const done = ["kept", "repeated"].includes(given.kind);
    if (done) {
      clear();
      if (page.dataset.idle && given.state) {
        stop_at = Math.max(0, given.state.remaining_ms - Number(page.dataset.idle));
      }
    } else keep();
    if (given.state) {
      show(given.state);
      if (done) draft = fresh();
    }
    if (done && !state.over) say("");
    else if (given.kind === "stale") location.reload();
    else if (!done && (!state.over || UNSENT.includes(given.kind))) say(given.kind);
    log.scrollTop = 0;
    later(pause());
  };
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (document.activeElement === at("press")) box.focus();  // the next message is written there
    send();
  });
  box.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" || event.isComposing) return;
    const wanted = event.ctrlKey || event.metaKey || (page.dataset.enterSends === "1" && !event.shiftKey);
    if (!wanted) return;
    event.preventDefault();
    send();
  });

  // ---- A phone's keyboard covers the lower half: the page becomes as high as what is seen ----------
  const view = window.visualViewport;
  const fit = () => {
    if (view.scale > 1.01) return;  // somebody looks closer
    const covered = matchMedia("(hover: none)").matches && document.activeElement === box
      && view.height < 0.75 * screen.height;
    root.style.setProperty("--seen", `${view.height}px`);
    root.classList.toggle("keyboard", covered);
    if (covered) window.scrollTo(0, 0);
    log.scrollTop = 0;
  };
  if (view) {
    view.addEventListener("resize", fit);
    box.addEventListener("focus", fit);
    box.addEventListener("blur", fit);
  }

  stands();
  setInterval(tick, 250);
  poll();
})();
