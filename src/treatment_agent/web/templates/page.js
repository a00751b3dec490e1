"use strict";
(() => {
  const root = document.documentElement, $ = (id) => document.getElementById(id);
  root.classList.add("js");

  const theme = $("theme"), system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (root.dataset.theme ? root.dataset.theme === "dark" : system.matches);
  const label = () => { theme.textContent = dark() ? "Light" : "Dark"; theme.setAttribute("aria-label", "Use " + (dark() ? "light" : "dark") + " colours"); };
  theme.hidden = false;
  theme.addEventListener("click", () => { root.dataset.theme = dark() ? "light" : "dark"; label(); });
  system.addEventListener("change", label);
  label();

  const reader = document.querySelector(".reader");
  const rows = [...document.querySelectorAll(".list li")];
  const articles = [...document.querySelectorAll("article.thread")];
  const show = (id, focus) => {
    const chosen = articles.find((a) => a.id === id) || null;
    articles.forEach((a) => a.classList.toggle("on", a === chosen));
    rows.forEach((r) => {
      const link = r.firstElementChild, on = chosen && link.hash === "#" + chosen.id;
      on ? link.setAttribute("aria-current", "true") : link.removeAttribute("aria-current");
    });
    reader.classList.toggle("reading", Boolean(chosen) && focus);
    if (chosen && focus) { chosen.focus({ preventScroll: true }); reader.scrollIntoView({ block: "start", behavior: "instant" }); }
  };
  const follow = () => {
    const id = decodeURIComponent(location.hash.slice(1));
    if (id.startsWith("c-")) show(id, true);
    else { reader.classList.remove("reading"); if (!articles.some((a) => a.classList.contains("on"))) first(); }
  };
  const first = () => { const row = rows.find((r) => !r.hidden); if (row) show(row.firstElementChild.hash.slice(1), false); };
  addEventListener("hashchange", follow);

  const form = $("filters"), fields = ["f-text", "f-phase", "f-topic", "f-lang"].map($);
  const texts = new Map(articles.map((a) => [a.id, a.textContent.toLowerCase()]));
  const filter = () => {
    const [text, phase, topic, lang] = fields.map((f) => f.value);
    const words = text.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const row of rows) {
      const all = texts.get(row.firstElementChild.hash.slice(1)) || "";
      const fits = (!phase || row.dataset.phase === phase) && (!topic || row.dataset.topic.split("|").includes(topic)) &&
        (!lang || row.dataset.lang === lang) && words.every((w) => all.includes(w));
      row.hidden = !fits;
      count += fits ? 1 : 0;
    }
    $("shown").textContent = count === rows.length ? count + " conversations" : count + " of " + rows.length + " conversations";
    $("none").hidden = count > 0;
    const current = rows.find((r) => r.firstElementChild.hasAttribute("aria-current"));
    if (!current || current.hidden) first();
  };
  form.hidden = false;
  form.addEventListener("input", filter);
  form.addEventListener("submit", (e) => e.preventDefault());
  form.addEventListener("reset", () => setTimeout(filter));

  for (const article of articles) {
    const button = article.querySelector(".explain"), all = [...article.querySelectorAll("details.why")];
    button.hidden = !all.length;
    button.addEventListener("click", () => {
      const open = button.getAttribute("aria-pressed") !== "true";
      all.forEach((d) => { d.open = open; });
      button.setAttribute("aria-pressed", String(open));
      button.textContent = open ? "Hide explanations" : "Explain everything";
    });
  }
  document.querySelector(".list").addEventListener("keydown", (e) => {
    if (e.key !== "ArrowDown" && e.key !== "ArrowUp") return;
    const seen = rows.filter((r) => !r.hidden).map((r) => r.firstElementChild);
    const next = seen[seen.indexOf(document.activeElement) + (e.key === "ArrowDown" ? 1 : -1)];
    if (next) { e.preventDefault(); next.focus(); }
  });
  follow();
})();
