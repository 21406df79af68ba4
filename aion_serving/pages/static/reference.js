// "Try it": sends what the form says and shows what came back, as text.

async function send(form) {
  let path = form.dataset.path;
  const query = new URLSearchParams();
  const options = { method: form.dataset.method };
  const parts = new FormData();
  let isForm = false;
  for (const input of form.querySelectorAll("[data-where]")) {
    const { where } = input.dataset;
    if (where === "path") path = path.replace(`{${input.name}}`, encodeURIComponent(input.value));
    else if (where === "query" && input.value) query.set(input.name, input.value);
    else if (where === "json") {
      options.body = input.value;
      options.headers = { "content-type": "application/json" };
    } else if (where === "form") {
      isForm = true;
      if (input.type === "file") parts.set(input.name, input.files[0] ?? new File([], ""));
      else if (input.value) parts.set(input.name, input.value);
    }
  }
  if (isForm) options.body = parts;
  const response = await fetch(query.size ? `${path}?${query}` : path, options);
  const text = await response.text();
  const isJson = (response.headers.get("content-type") ?? "").includes("json");
  return `${response.status} ${response.statusText}\n\n${isJson ? JSON.stringify(JSON.parse(text), null, 2) : text}`;
}

for (const form of document.querySelectorAll("form.try")) {
  form.addEventListener("submit", async (event) => {
    event.preventDefault();
    const result = form.querySelector(".result");
    result.hidden = false;
    result.textContent = "…";
    try {
      result.textContent = await send(form);
    } catch (error) {
      result.textContent = String(error);
    }
  });
}

if (location.hash) {
  const call = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (call instanceof HTMLDetailsElement) call.open = true;
}
