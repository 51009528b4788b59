// Tells the window that opened this one that there is news to read at the server: nothing of what, as with a message.
const { target } = document.currentScript.dataset;

if (target) window.opener?.postMessage({ type: "hitchpost.trouble" }, target);
// The page's button is not there yet.
document.addEventListener("click", (click) => {
  if (click.target.closest("[data-close]")) window.close();
});
