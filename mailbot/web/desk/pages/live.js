// Shows how far an announcement is while its page stays open. Without it the page says the same when it is loaded again.
const place = document.getElementById("live");
if (place && window.EventSource) {
  const source = new EventSource(place.dataset.from);
  source.onmessage = (event) => { place.innerHTML = JSON.parse(event.data); };
  source.addEventListener("over", () => source.close());
}
