// Tells the window that opened this one that there is news to read at the server: nothing of what, as with a message.
window.opener?.postMessage({ type: "hitchpost.trouble" }, document.body.dataset.target);
