// Copies the page's address, to be opened in a real browser. Without the clipboard the address is selected instead.
const address = document.getElementById("address");
const button = document.querySelector("[data-copy]");

button.addEventListener("click", async () => {
  address.select();
  try {
    await navigator.clipboard.writeText(address.value);
    button.textContent = button.dataset.copied;
  } catch {
    // Selected it is: the browser's own menu copies it.
  }
});
