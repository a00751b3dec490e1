"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const stories = [...document.querySelectorAll(".story")];
  const texts = new Map(stories.map((s) => [s, s.textContent.toLowerCase()]));
  const text = $("f-text"), area = $("f-area"), state = $("f-state"), shown = $("shown");
  const filter = () => {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    stories.forEach((s) => {
      const fits = (!area.value || s.dataset.area === area.value) && (!state.value || s.dataset.state === state.value)
        && words.every((w) => texts.get(s).includes(w));
      s.hidden = !fits;
      count += fits ? 1 : 0;
    });
    shown.textContent = count + " of " + stories.length + " dialogues, failing first";
  };
  [text, area, state].forEach((f) => f.addEventListener("input", filter));
  $("filters").addEventListener("submit", (e) => e.preventDefault());
  document.querySelectorAll(".pick").forEach((b) => b.addEventListener("click", () => {
    area.value = b.dataset.area;
    filter();
    $("dialogues").scrollIntoView();
  }));
})();
