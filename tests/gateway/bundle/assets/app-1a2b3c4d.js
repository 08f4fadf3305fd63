// The toy's script: who has signed in, an order, and the first event; no token ever comes here.
const show = (id, text) => { document.getElementById(id).textContent = text; };
const session = await (await fetch("/toy/auth/session")).json();
show("who", session.subject);
const order = await (await fetch("/toy/api/experience/shop/v1/orders/o")).json();
show("order", `${order.subject} ${order.consumer}`);
const events = new EventSource("/toy/api/experience/feed/v1/topics/a/events");
events.addEventListener("counted", (event) => { show("event", event.data); events.close(); });
globalThis.signOut = async () => {
  const answer = await fetch("/toy/auth/sign-out", { method: "POST", headers: { "X-Requested-By": "toy" } });
  document.title = (await answer.json()).location;
};
// What follows makes the file worth compressing.
// aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
// aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa
