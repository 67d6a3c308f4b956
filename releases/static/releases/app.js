"use strict";
/* Of several things the page has put one beside the list: what is shown has an address, so that nothing takes its place
   while it is read. */
(() => {
  const chosen = document.querySelector("[data-address]");
  if (chosen) history.replaceState(null, "", `${chosen.dataset.address}${location.search}`);
})();

/* Times grow old by themselves, in the reader's zone. */
(() => {
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

  document.addEventListener("live:refreshed", showTimes);
  setInterval(showTimes, 5000);
  showTimes();
})();
