// Notes every layout shift, and the moment at which the ten buttons have been drawn.
globalThis.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) globalThis.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
addEventListener("DOMContentLoaded", () => {
  requestAnimationFrame(() => requestAnimationFrame(() => performance.mark("drawn")));
});
