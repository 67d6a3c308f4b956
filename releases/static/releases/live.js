// Keeps a page live: one stream of server-sent events while the page is visible.
//
// "changed": the page is fetched again and morphed into the shown one, so that focus, caret, selection, scroll, typed
// text and open details stay. "lines": appended to the log. "beat": comes every 2 s; a page that hears nothing for 4 s
// says since when it isn't live, and connects again. Without JavaScript a page is as it was when it was loaded.
(() => {
  "use strict";

  const SILENCE_MS = 4000;
  const TICK_MS = 500;
  const POLL_MS = 3000;
  const MAX_LINES = 5000;
  // A browser opens six connections to a host over HTTP/1.1: two are left for everything else. Locks are shared by all
  // tabs of a browser; a visible page that gets none of them asks again and again instead.
  const SLOTS = 4;

  const main = document.getElementById("main");
  const state = document.getElementById("live-state");
  const address = main?.dataset.live?.trim();
  if (!address || !state) return;

  let source = null;
  let log = null; // the list that the open stream appends to
  let giveSlotBack = () => {};
  let connecting = false;
  let heardAt = Date.now();
  let askedAt = 0;
  let gone = false;

  function show(name, ...content) {
    state.dataset.state = name;
    const text = content.map((part) => part.textContent ?? part).join("");
    if (state.textContent !== text) state.replaceChildren(...content);
  }

  function showCut() {
    if (gone) return;
    const since = new Date(heardAt).toTimeString().slice(0, 8);
    show("cut", `Not live since ${since}, trying again`);
  }

  function showGone() {
    gone = true;
    close();
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "Open it again";
    show("gone", "Not live: you are signed out, or may not see this any more. ", link);
  }

  // The stream

  async function connect() {
    if (source || connecting || gone || document.hidden) return;
    connecting = true;
    askedAt = Date.now();
    const slot = await takeSlot();
    connecting = false;
    if (document.hidden || gone) return close();
    if (slot) return open();
    show("live", `Live, every ${POLL_MS / 1000} s`);
  }

  async function takeSlot() {
    if (!navigator.locks) return true;
    for (let number = 0; number < SLOTS; number += 1) {
      if (await new Promise((answer) => requestSlot(number, answer))) return true;
    }
    return false;
  }

  function requestSlot(number, answer) {
    navigator.locks.request(`bluegreen-live-${number}`, { ifAvailable: true }, (lock) => {
      answer(Boolean(lock));
      return lock && new Promise((release) => { giveSlotBack = release; });
    });
  }

  function open() {
    log = document.querySelector("[data-log]");
    source = new EventSource(log ? `${log.dataset.log}?after=${log.dataset.after}` : address);
    listen("changed", refresh);
    listen("lines", (event) => append(event.data, event.lastEventId));
    listen("end", reopen);
    listen("beat", () => {});
    // After a lost connection the browser connects again by itself; a refused one stays closed.
    source.onerror = () => {
      showCut();
      if (source?.readyState === EventSource.CLOSED) close();
    };
  }

  function listen(name, handle) {
    source.addEventListener(name, (event) => {
      heardAt = Date.now();
      show("live", "Live");
      handle(event);
    });
  }

  function close() {
    source?.close();
    source = null;
    log = null;
    giveSlotBack();
  }

  // The page as the server has it says which stream is the right one now.
  async function reopen() {
    close();
    await refresh();
    connect();
  }

  function tick() {
    if (document.hidden || gone) return;
    const now = Date.now();
    if (source && now - heardAt > SILENCE_MS && now - askedAt > SILENCE_MS) {
      showCut();
      close();
      connect();
    } else if (!source && now - askedAt > POLL_MS) {
      askedAt = now;
      reopen();
    }
  }

  // The page

  let refreshing = false;
  let again = false;

  async function refresh() {
    again = true;
    if (refreshing) return;
    refreshing = true;
    while (again) {
      again = false;
      await fetchPage().catch(showCut);
    }
    refreshing = false;
  }

  async function fetchPage() {
    const answer = await fetch(location.href, { headers: { "X-Live": "1" }, cache: "no-store" });
    if (answer.status >= 500) return showCut();
    if (!answer.ok || answer.redirected) return showGone();
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    for (const part of document.querySelectorAll("main, [data-live-too]")) morph(part, page.getElementById(part.id));
    document.title = page.title;
    document.dispatchEvent(new Event("live:refreshed"));
    const shown = document.querySelector("[data-log]");
    if (source && shown && shown !== log) {
      close();
      connect();
    }
  }

  function morph(part, fresh) {
    const callbacks = { beforeNodeMorphed: mayMorph, beforeAttributeUpdated: mayUpdate };
    if (fresh) Idiomorph.morph(part, fresh, { callbacks });
  }

  // What a person has typed or chosen stays, as does what the stream appends to.
  function mayMorph(node) {
    if (node.nodeType !== Node.ELEMENT_NODE) return true;
    return node !== log && !node.matches("textarea, select, input:not([type=hidden])");
  }

  function mayUpdate(name, node) {
    return !(name === "open" && node.matches("details, dialog"));
  }

  function append(html, last) {
    log.insertAdjacentHTML("beforeend", html);
    log.dataset.after = last;
    while (log.childElementCount > MAX_LINES) log.firstElementChild.remove();
  }

  document.addEventListener("visibilitychange", () => (document.hidden ? close() : connect()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", connect);
  setInterval(tick, TICK_MS);
  connect();
})();
