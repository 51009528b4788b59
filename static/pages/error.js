// Tells the opener, if there is one, that there is news to read at the server; copies the code for support.
const { origin, code } = document.body.dataset;
const copy = document.querySelector("[data-copy]");

document.querySelector("[data-close]").addEventListener("click", () => window.close());
if (window.opener && origin) window.opener.postMessage({ type: "hitchpost.trouble", code }, origin);
// The page that opened this window is still there: nobody needs a second one in here.
if (window.opener) document.querySelector("[data-back]")?.remove();

if (copy) {
  const source = document.getElementById(copy.dataset.copy);
  copy.hidden = false;
  copy.addEventListener("click", async () => {
    try {
      await navigator.clipboard.writeText(source.textContent);
      copy.textContent = copy.dataset.copied;
    } catch {
      getSelection().selectAllChildren(source); // The browser's own menu copies it.
    }
  });
}
