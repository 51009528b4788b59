// Tells what others change meanwhile. It asks only while the page is looked at.
import { ask } from "./api.js";
import { steadily } from "./live.js";

const EVERY = 4000;
const told = new Set();
const begun = new Date().toISOString();

/** Watches the draft and what is published. */
export function watchNews() {
  const box = document.getElementById("news");
  const { published } = document.body.dataset;
  let since = begun;

  async function look() {
    if (document.hidden) return;
    let news;
    try {
      news = await ask("news");
    } catch {
      return; // The next look may do better; saving tells when it does not.
    }
    document.body.dataset.csrf = news.csrf;
    const fresh = news.others.filter(({ path, at }) => at > since && !told.has(path + at));
    for (const { path, at } of fresh) told.add(path + at);
    if (fresh.length > 0) tell(`${fresh[0].by} changed ${fresh[0].label}${fresh.length > 1 ? ` and ${fresh.length - 1} more` : ""}.`);
    if (`${news.published}` !== published && !told.has(news.published)) {
      told.add(news.published);
      tell(`${news.by} published version ${news.published}.`);
    }
  }

  function tell(words) {
    const line = document.createElement("p");
    const link = document.createElement("a");
    link.href = location.href;
    link.textContent = "Load the page again";
    line.append(document.createTextNode(words), link);
    steadily(() => box.replaceChildren(line));
  }

  setInterval(look, EVERY);
  document.addEventListener("visibilitychange", look);
}
