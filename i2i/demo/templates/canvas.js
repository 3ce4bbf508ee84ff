// The drawing canvas. Gradio provides element, props, trigger and watch.
// props.value is the drawing as the data URL of a PNG, or "" while the canvas is empty. Python sets
// it to paint a picture. While the checkbox #live is on, every change triggers "drawn".

const { canvas_size, background, colours, labels, width } = props.setup;
const [height, wide] = canvas_size;
const MAX_HISTORY = 40;
const DELAY_MS = 250;
const SHORTCUTS = { p: "pen", r: "rectangle", e: "eraser" };

const canvas = element.querySelector("canvas");
const slider = element.querySelector(".width input");
canvas.width = wide;
canvas.height = height;
const context = canvas.getContext("2d", { willReadFrequently: true });

let tool = labels ? "rectangle" : "pen";
let colour = colours[labels && colours.length > 1 ? 1 : 0].rgb;
let history = [];
let place = -1;
let stroke = null;
let timer = null;

const css = (rgb) => `rgb(${rgb.join(",")})`;
const all = (selector) => [...element.querySelectorAll(selector)];
const snapshot = () => context.getImageData(0, 0, wide, height);

function fill(rgb) {
  context.fillStyle = css(rgb);
  context.fillRect(0, 0, wide, height);
}

function isEmpty(image) {
  const pixels = new Uint32Array(image.data.buffer);
  const empty = new Uint32Array(new Uint8ClampedArray([...background, 255]).buffer)[0];
  return pixels.every((pixel) => pixel === empty);
}

// Makes the image on the canvas the component's value and the newest step of the history.
function keep(image = snapshot()) {
  history = [...history.slice(0, place + 1), image].slice(-MAX_HISTORY);
  place = history.length - 1;
  publish();
}

function publish() {
  props.value = isEmpty(history[place]) ? "" : canvas.toDataURL("image/png");
  refresh();
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (document.querySelector("#live input")?.checked) trigger("drawn");
  }, DELAY_MS);
}

function go(step) {
  if (stroke || !history[place + step]) return;
  place += step;
  context.putImageData(history[place], 0, 0);
  publish();
}

function clear() {
  fill(background);
  if (!isEmpty(history[place])) keep();
}

function refresh() {
  for (const button of all("[data-tool]")) {
    button.setAttribute("aria-pressed", String(button.dataset.tool === tool));
  }
  for (const [i, button] of all(".swatches button").entries()) {
    button.setAttribute("aria-pressed", String(colours[i].rgb === colour && tool !== "eraser"));
  }
  element.querySelector("[data-action=undo]").disabled = place <= 0;
  element.querySelector("[data-action=redo]").disabled = place >= history.length - 1;
  element.querySelector("[data-action=clear]").disabled = isEmpty(history[place]);
}

function choose(name) {
  const button = element.querySelector(`[data-tool=${name}]`);
  if (button.hidden) return;
  tool = name;
  refresh();
}

// The pointer's position in canvas pixels, independent of the size on the page.
function point(event) {
  const box = canvas.getBoundingClientRect();
  return {
    x: ((event.clientX - box.left - canvas.clientLeft) * wide) / canvas.clientWidth,
    y: ((event.clientY - box.top - canvas.clientTop) * height) / canvas.clientHeight,
  };
}

function begin(event) {
  if (stroke || !event.isPrimary || event.button !== 0) return;
  event.preventDefault();
  canvas.focus({ preventScroll: true });
  canvas.setPointerCapture(event.pointerId);
  const at = point(event);
  const rgb = tool === "eraser" ? background : colour;
  stroke = { id: event.pointerId, before: snapshot(), start: at, last: at, middle: at, rgb };
  context.strokeStyle = context.fillStyle = css(rgb);
  const share = (Number(slider.value) / 100) * (tool === "eraser" ? 2 : 1);
  context.lineWidth = share * Math.max(wide, height);
  context.lineCap = context.lineJoin = "round";
  if (tool === "rectangle") return;
  context.beginPath();
  context.arc(at.x, at.y, context.lineWidth / 2, 0, 2 * Math.PI);
  context.fill();
}

function move(event) {
  if (stroke?.id !== event.pointerId) return;
  if (tool === "rectangle") return rectangle(point(event));
  const events = event.getCoalescedEvents?.() ?? [];
  for (const each of events.length ? events : [event]) line(point(each));
}

// The pointer reports single points. Draws a smooth curve through the midpoints between them.
function line(to) {
  const { last, middle } = stroke;
  const next = { x: (last.x + to.x) / 2, y: (last.y + to.y) / 2 };
  context.beginPath();
  context.moveTo(middle.x, middle.y);
  context.quadraticCurveTo(last.x, last.y, next.x, next.y);
  context.stroke();
  stroke.last = to;
  stroke.middle = next;
}

function rectangle(to) {
  const { start, before } = stroke;
  const [left, right] = [start.x, to.x].sort((a, b) => a - b).map(Math.round);
  const [top, bottom] = [start.y, to.y].sort((a, b) => a - b).map(Math.round);
  context.putImageData(before, 0, 0);
  context.fillRect(left, top, right - left, bottom - top);
}

function end(event) {
  if (stroke?.id !== event.pointerId) return;
  if (tool !== "rectangle") line(stroke.last);
  const image = snapshot();
  if (labels) harden(image, stroke.before, stroke.rgb);
  stroke = null;
  keep(image);
}

// The browser smooths edges with shades that would be read as other classes. Replaces each shade by
// the new or the old colour, whichever is nearer.
function harden(image, before, rgb) {
  const [now, old] = [image.data, before.data];
  for (let i = 0; i < now.length; i += 4) {
    let toNew = 0;
    let toOld = 0;
    for (let c = 0; c < 3; c++) {
      toNew += Math.abs(now[i + c] - rgb[c]);
      toOld += Math.abs(now[i + c] - old[i + c]);
    }
    if (toNew === 0 || toOld === 0) continue;
    for (let c = 0; c < 3; c++) now[i + c] = toNew < toOld ? rgb[c] : old[i + c];
  }
  context.putImageData(image, 0, 0);
}

async function paint(url) {
  if (!url) return clear();
  const image = new Image();
  image.src = url;
  await image.decode();
  context.drawImage(image, 0, 0, wide, height);
  keep();
}

function key(event) {
  const name = event.key.toLowerCase();
  const command = event.ctrlKey || event.metaKey;
  if (command && name === "z") go(event.shiftKey ? 1 : -1);
  else if (command && name === "y") go(1);
  else if (!command && !event.altKey && name in SHORTCUTS) choose(SHORTCUTS[name]);
  else return;
  event.preventDefault();
}

if (labels) {
  for (const each of colours) {
    const button = document.createElement("button");
    const sample = document.createElement("i");
    button.type = "button";
    button.title = each.name;
    button.setAttribute("aria-label", each.name);
    sample.style.background = css(each.rgb);
    button.append(sample, each.name);
    button.addEventListener("click", () => {
      colour = each.rgb;
      if (tool === "eraser") tool = "rectangle";
      refresh();
    });
    element.querySelector(".swatches").append(button);
  }
}
element.querySelector("[data-tool=rectangle]").hidden = !labels;
slider.value = String(100 * width);
for (const button of all("[data-tool]")) {
  button.addEventListener("click", () => choose(button.dataset.tool));
}
const actions = { undo: () => go(-1), redo: () => go(1), clear };
for (const button of all("[data-action]")) {
  button.addEventListener("click", () => actions[button.dataset.action]());
}
element.addEventListener("keydown", key);
canvas.addEventListener("pointerdown", begin);
canvas.addEventListener("pointermove", move);
canvas.addEventListener("pointerup", end);
canvas.addEventListener("pointercancel", end);
watch("value", () => paint(props.value));

fill(background);
history = [snapshot()];
place = 0;
refresh();
