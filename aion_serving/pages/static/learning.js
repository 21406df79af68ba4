// Corrections, labels, reports. Everything that comes from people and documents is set as text, never as markup.

const t = JSON.parse(document.getElementById("wording").textContent);
const told = document.getElementById("told");

function element(name, attributes = {}, ...children) {
  const node = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") node.className = value;
    else if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value !== false && value != null) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children.filter((child) => child != null && child !== ""));
  return node;
}

async function call(method, path, body) {
  const response = await fetch(path, {
    method, headers: { "content-type": "application/json" }, body: body ? JSON.stringify(body) : undefined,
  });
  if (response.status === 204) return {};
  const found = await response.json().catch(() => ({ error: `${response.status} ${response.statusText}` }));
  if (!response.ok) throw new Error([found.error, found.next_step].filter(Boolean).join(" "));
  return found;
}

// Runs what a button is for, says how it went, and shows the lists anew.
function doing(work) {
  return async (event) => {
    event.preventDefault();
    try {
      await work();
      told.textContent = t.done;
      await show();
    } catch (error) {
      told.textContent = error.message;
    }
  };
}

function safeLink(link) {
  return /^https?:\/\//i.test(link) || (link.startsWith("/") && !link.startsWith("//")) ? link : null;
}

function source(item) {
  return element("a", { href: safeLink(item.link), target: "_blank", rel: "noopener noreferrer" }, item.title || item.link);
}

function correctionView(item) {
  const words = element("textarea", { rows: "3", maxlength: "4000", "aria-label": t.corrected_text });
  words.value = item.text;
  // What the answer cited is what the correction rests on, unless a curator says otherwise.
  const rests = new Set(item.state === "pending" ? [] : item.rests_on.map((one) => one.doc_id));
  const boxes = item.sources.map((one) => element("input", {
    type: "checkbox", value: String(one.number),
    checked: item.state === "pending" ? !item.abstained : rests.has(one.doc_id),
  }));
  const decide = (action) => doing(() => call("POST", `/curation/corrections/${item.correction_id}`, action === "reject"
    ? { action }
    : { action, text: words.value, sources: boxes.filter((box) => box.checked).map((box) => Number(box.value)) }));
  return element("li", { class: "card" },
    element("strong", {}, item.question),
    item.reason ? element("p", { class: "notice" }, t[`expired_${item.reason}`] ?? item.reason) : null,
    element("p", { class: "muted" }, `${t.was_answered}: ${item.answer.split("\n")[0]}`),
    words,
    item.sources.length ? element("p", { class: "muted" }, t.rests_on) : null,
    ...item.sources.map((one, index) => element("p", {}, element("label", {}, boxes[index], " ", one.quote), " ", source(one))),
    element("p", {},
      element("button", { type: "button", onclick: decide("approve") }, t.approve), " ",
      element("button", { type: "button", class: "quiet", onclick: decide("reject") }, t.reject)));
}

function labelView(item) {
  const boxes = item.sources.map((one) => element("input", { type: "checkbox", value: String(one.number) }));
  const path = `/api/labelling/${item.answer_id}`;
  const chosen = () => boxes.filter((box) => box.checked).map((box) => Number(box.value));
  const keep = element("button", { type: "submit", disabled: true }, t.label);
  const form = element("form", { onsubmit: doing(() => call("POST", path, { sources: chosen() })) },
    element("strong", {}, item.question), " ",
    element("span", { class: "muted" }, `${t.confidence} ${Math.round(100 * item.C)} %`),
    ...item.sources.map((one, index) => element("p", {}, element("label", {}, boxes[index], " ", one.quote), " ", source(one))),
    element("p", {}, keep, " ",
      element("button", { type: "button", class: "quiet", onclick: doing(() => call("POST", path, {})) }, t.label_nothing), " ",
      element("button", { type: "button", class: "quiet", onclick: doing(() => call("DELETE", path)) }, t.label_skip)));
  form.addEventListener("change", () => { keep.disabled = chosen().length === 0; });
  return element("li", { class: "card" }, form);
}

function reportView(item) {
  const name = item.kind === "release" ? item.subject.slice(0, 12) : item.subject;
  return element("li", {}, element("a", { href: item.page }, `${t[`report_${item.kind}`]} ${name}`));
}

function fill(id, items, view, empty) {
  const list = document.getElementById(id);
  list.replaceChildren(...(items.length ? items.map(view) : [element("li", { class: "muted" }, empty)]));
}

async function show() {
  const [waiting, expired, labels, reports] = await Promise.all([
    call("GET", "/curation/corrections"), call("GET", "/curation/corrections?state=expired"),
    call("GET", "/api/labelling?limit=10"), call("GET", "/api/reports"),
  ]);
  fill("corrections", waiting.items, correctionView, t.no_corrections);
  document.getElementById("expired-part").hidden = expired.items.length === 0;
  fill("expired", expired.items, correctionView, "");
  fill("labels", labels.items, labelView, t.no_labels);
  fill("reports", reports.reports, reportView, t.no_reports);
}

show().catch((error) => { told.textContent = error.message; });
