// Tells the window that opened this one that there is news to read at the server: nothing of what, as with a message.
const { target } = document.body.dataset;
const close = document.querySelector("[data-close]");

if (target) window.opener?.postMessage({ type: "hitchpost.trouble" }, target);
close?.addEventListener("click", () => window.close());
