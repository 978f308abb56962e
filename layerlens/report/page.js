// The treemap of layerlens' HTML report. Text from the image is only ever set as textContent.
"use strict";
(() => {
  // A node is [name, bytes, dead bytes, files, children]; children is 0 for a file.
  const [NAME, BYTES, DEAD, FILES, CHILDREN] = [0, 1, 2, 3, 4];
  const data = JSON.parse(document.getElementById("data").textContent);
  const map = document.getElementById("map");
  const crumbs = document.getElementById("crumbs");
  const about = document.getElementById("about");
  const list = document.getElementById("list");
  const modes = [...document.querySelectorAll("[data-mode]")];
  const roots = { d: data.directories, l: data.layers };
  let mode = "d";
  let trail = []; // indexes of children, from the root on

  const units = ["B", "kB", "MB", "GB", "TB", "PB"];
  function sizeText(bytes) {
    let unit = 0;
    while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
    return unit ? `${bytes.toFixed(1)} ${units[unit]}` : `${bytes} B`;
  }
  function shareText(part, whole) { return whole ? `${(100 * part / whole).toFixed(1)} %` : "-"; }
  function filesText(count) { return `${count.toLocaleString("en")} ${count === 1 ? "file" : "files"}`; }
  function make(kind, className, text) {
    const element = document.createElement(kind);
    if (className) element.className = className;
    if (text !== undefined) element.textContent = text;
    return element;
  }

  // The children of a node, and what of it was not worth a node of its own.
  function itemsOf(node) {
    const children = node[CHILDREN] || [];
    const items = children.map((child, index) => ({ node: child, index, bytes: child[BYTES] }));
    const sum = (field) => children.reduce((total, child) => total + child[field], 0);
    const [bytes, dead, files] = [BYTES, DEAD, FILES].map((field) => node[field] - sum(field));
    if (bytes > 0) {
      const name = children.length ? `${filesText(files)} more` : filesText(files);
      items.push({ node: [name, bytes, dead, files, 0], index: -1, bytes });
    }
    return items.sort((one, other) => other.bytes - one.bytes);
  }
  function opens(item) { return item.index >= 0 && Boolean(item.node[CHILDREN]); }
  function current() {
    return trail.reduce((node, index) => node[CHILDREN][index], roots[mode]);
  }

  // Squarified treemap (Bruls, Huizing, van Wijk, 2000): rows along the shorter side, as long as
  // another item makes the worst ratio of sides no worse.
  function squarify(items, x, y, width, height) {
    const total = items.reduce((sum, item) => sum + item.bytes, 0);
    const placed = [];
    if (!total || width <= 0 || height <= 0) return placed;
    const scale = width * height / total;
    const areas = items.map((item) => item.bytes * scale);
    const worst = (sum, least, most, side) =>
      Math.max(side * side * most / (sum * sum), sum * sum / (side * side * least));
    let start = 0;
    while (start < items.length) {
      const side = Math.min(width, height);
      let end = start + 1;
      let sum = areas[start];
      while (end < items.length) {
        const next = sum + areas[end];
        if (worst(next, areas[end], areas[start], side) > worst(sum, areas[end - 1], areas[start], side)) break;
        sum = next;
        end += 1;
      }
      const thick = side ? sum / side : 0;
      let at = 0;
      for (let index = start; index < end; index += 1) {
        const long = thick ? areas[index] / thick : 0;
        placed.push(width < height
          ? { item: items[index], x: x + at, y, width: long, height: thick }
          : { item: items[index], x, y: y + at, width: thick, height: long });
        at += long;
      }
      if (width < height) { y += thick; height -= thick; } else { x += thick; width -= thick; }
      start = end;
    }
    return placed;
  }
  function put(element, box) {
    element.style.left = `${box.x}px`;
    element.style.top = `${box.y}px`;
    element.style.width = `${Math.max(box.width, 0)}px`;
    element.style.height = `${Math.max(box.height, 0)}px`;
  }

  function describe(item, whole) {
    const node = item.node;
    const kind = item.index < 0 ? "added up" : node[CHILDREN] === 0 ? "file" : "directory";
    const parts = [node[NAME], mode === "l" && !trail.length ? "layer" : kind, sizeText(node[BYTES]), shareText(node[BYTES], whole)];
    if (kind === "directory" || item.index < 0) parts.push(filesText(node[FILES]));
    if (node[DEAD]) parts.push(`${sizeText(node[DEAD])} dead`);
    return parts.join(", ");
  }
  // What a directory holds, drawn inside its tile; clicks go through to the tile itself. Inside
  // of one that takes up nearly all, each part has its own colour.
  function preview(into, item, box, depth, whole) {
    if (depth > 3 || box.width < 60 || box.height < 44 || !item.node[CHILDREN]) return false;
    const inside = squarify(itemsOf(item.node), 2, 17, box.width - 6, box.height - 21);
    const alone = item.bytes > 0.8 * whole;
    inside.forEach((part, number) => {
      if (part.width < 5 || part.height < 5) return;
      const kind = part.item.index < 0 ? "rest" : `t${number % 8}`;
      const inner = make("span", alone ? `inner ${kind}` : "inner");
      inner.setAttribute("aria-hidden", "true");
      put(inner, part);
      if (part.width > 44 && part.height > 15) inner.textContent = part.item.node[NAME];
      const drawn = part.item.index >= 0 && preview(inner, part.item, part, depth + 1, alone ? whole : Infinity);
      if (!drawn) hatch(inner, part.item);
      into.append(inner);
    });
    return inside.length > 0;
  }
  // Marks the part that is dead, from the bottom up.
  function hatch(into, item) {
    if (!item.node[DEAD]) return;
    const dead = make("span", "dead");
    dead.style.height = `${100 * item.node[DEAD] / item.node[BYTES]}%`;
    into.append(dead);
  }
  function tile(box, number, whole) {
    const { item } = box;
    const button = make("button", `tile ${item.index < 0 ? "rest" : `t${number % 8}`}`);
    button.type = "button";
    button.dataset.index = item.index;
    const text = describe(item, whole);
    button.setAttribute("aria-label", text);
    button.title = text;
    put(button, box);
    button.addEventListener("focus", () => { about.textContent = text; });
    button.addEventListener("mouseenter", () => { about.textContent = text; });
    if (opens(item)) {
      button.classList.add("opens");
      button.addEventListener("click", () => go(mode, [...trail, item.index]));
    }
    if (!(opens(item) && preview(button, item, box, 1, whole))) hatch(button, item);
    if (box.width > 34 && box.height > 16) {
      const label = make("span", "label", item.node[NAME]);
      label.append(" ", make("small", "", sizeText(item.node[BYTES])));
      button.append(label);
    }
    return button;
  }

  function drawMap() {
    const node = current();
    map.replaceChildren();
    const boxes = squarify(itemsOf(node), 0, 0, map.clientWidth, map.clientHeight);
    map.append(...boxes.map((box, number) => tile(box, number, node[BYTES])));
    if (!boxes.length) map.append(make("p", "faint", "No bytes here."));
  }
  function drawCrumbs() {
    crumbs.replaceChildren();
    let node = roots[mode];
    const nodes = [node, ...trail.map((index) => { node = node[CHILDREN][index]; return node; })];
    nodes.forEach((each, depth) => {
      if (depth) crumbs.append(make("span", "sep", "›"));
      const name = depth ? each[NAME] : mode === "d" ? "/" : "all layers";
      if (depth === nodes.length - 1) {
        const here = make("span", "", `${name} (${sizeText(each[BYTES])})`);
        here.setAttribute("aria-current", "location");
        crumbs.append(here);
      } else {
        const button = make("button", "", name);
        button.type = "button";
        button.addEventListener("click", () => go(mode, trail.slice(0, depth)));
        crumbs.append(button);
      }
    });
  }
  function drawList() {
    const node = current();
    list.replaceChildren();
    for (const item of itemsOf(node)) {
      const row = make("tr");
      const name = make("td", "name");
      if (opens(item)) {
        const button = make("button", "", item.node[NAME]);
        button.type = "button";
        button.addEventListener("click", () => go(mode, [...trail, item.index]));
        name.append(button);
      } else {
        name.textContent = item.node[NAME];
      }
      row.append(name);
      for (const text of [sizeText(item.node[BYTES]), shareText(item.node[BYTES], node[BYTES]),
        item.node[FILES].toLocaleString("en"), item.node[DEAD] ? sizeText(item.node[DEAD]) : ""]) {
        row.append(make("td", "number", text));
      }
      list.append(row);
    }
  }
  function draw() {
    for (const button of modes) button.setAttribute("aria-pressed", String(button.dataset.mode === mode));
    about.textContent = "";
    drawCrumbs();
    drawMap();
    drawList();
  }

  // Where we are stands in the address, so that going back and links work.
  function go(newMode, newTrail) { location.hash = `#${[newMode, ...newTrail].join(".")}`; }
  function readAddress() {
    const [wanted, ...steps] = location.hash.slice(1).split(".");
    const came = { mode, trail };
    const known = Object.hasOwn(roots, wanted);
    mode = known ? wanted : "d";
    trail = [];
    let node = roots[mode];
    for (const step of known ? steps : []) {
      const child = node[CHILDREN] && node[CHILDREN][Number(step)];
      if (!child || !child[CHILDREN]) break;
      trail.push(Number(step));
      node = child;
    }
    const inMap = map.contains(document.activeElement);
    draw();
    if (inMap) {
      const from = came.mode === mode && came.trail.length > trail.length ? came.trail[trail.length] : "first";
      (map.querySelector(`[data-index="${from}"]`) || map.querySelector(".tile"))?.focus();
    }
  }

  map.addEventListener("keydown", (event) => {
    const tiles = [...map.querySelectorAll(".tile")];
    const at = tiles.indexOf(document.activeElement);
    if ((event.key === "Escape" || event.key === "Backspace") && trail.length) {
      go(mode, trail.slice(0, -1));
    } else if (event.key === "ArrowRight" || event.key === "ArrowDown") {
      tiles[Math.min(at + 1, tiles.length - 1)].focus();
    } else if (event.key === "ArrowLeft" || event.key === "ArrowUp") {
      tiles[Math.max(at - 1, 0)].focus();
    } else {
      return;
    }
    event.preventDefault();
  });
  for (const button of modes) button.addEventListener("click", () => go(button.dataset.mode, []));
  addEventListener("hashchange", readAddress);
  new ResizeObserver(() => {
    const inMap = map.contains(document.activeElement) && document.activeElement.dataset.index;
    drawMap();
    if (inMap) map.querySelector(`[data-index="${inMap}"]`)?.focus();
  }).observe(map);
  document.getElementById("treemap").hidden = false;
  readAddress();
})();
