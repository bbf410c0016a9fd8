// What a reader would stumble over, measured in the open page: a list of sentences, one a fault.
async () => {
  const SLACK = 1.5; // sizes in the page are fractions of a pixel
  const SMALLEST_TEXT = 12; // px
  const MOST_LINES = 8; // of text in one cell
  const WIDE = 1000; // px: a screen on which no table may have to scroll
  const faults = [];
  const all = (selector, within = document) => [...within.querySelectorAll(selector)];
  const words = (element) => element.textContent.replace(/\s+/g, " ").trim();
  const box = (element) => element.getBoundingClientRect();
  const style = (element) => getComputedStyle(element);
  const shown = (element) => element.getClientRects().length > 0;
  const short = (text) => (text.length > 60 ? text.slice(0, 57) + "..." : text);
  const named = (element) => {
    const text = element.getAttribute("alt") || words(element.caption || element);
    const table = element.parentElement.closest("table");
    const where = table ? ` in the table "${short(words(table.caption || table))}"` : "";
    return `${element.tagName.toLowerCase()} "${short(text)}"${where}`;
  };
  const fault = (element, what) => faults.push(`${named(element)}: ${what}`);
  const scroller = (element) => element.closest(".scroll, pre");
  const px = (length) => `${Math.round(length)} px`;

  // The page itself never scrolls sideways, and nothing lies beyond its edges.
  const root = document.documentElement;
  if (root.scrollWidth > innerWidth + SLACK)
    faults.push(`the page is ${px(root.scrollWidth)} wide: it scrolls sideways`);

  const leaves = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  const texts = [];
  while (leaves.nextNode()) {
    const node = leaves.currentNode;
    const hidden = node.parentElement.closest(".skip, script, style, title, desc");
    if (node.data.trim() && !hidden && shown(node.parentElement)) texts.push(node);
  }
  const range = document.createRange();
  const rects = (node, from, to) => {
    range.setStart(node, from);
    range.setEnd(node, to);
    return [...range.getClientRects()];
  };
  for (const node of texts) {
    const holder = node.parentElement;
    const lines = rects(node, 0, node.length);
    const right = Math.max(...lines.map((line) => line.right));
    const left = Math.min(...lines.map((line) => line.left));
    if (!scroller(holder) && (right > innerWidth + SLACK || left < -SLACK))
      fault(holder, "its text runs over the edge of the page");
    const frame = holder.closest("td, th, caption, figcaption, .tile, .card, .finding, .limits");
    if (frame && (right > box(frame).right + SLACK || left < box(frame).left - SLACK))
      fault(holder, "its text runs out of its box");
  }

  // Figures are there, whole, and no wider than their place.
  for (const image of document.images) {
    image.loading = "eager";
    await image.decode().catch(() => null);
    if (!image.naturalWidth) fault(image, "the image did not load");
    if (!(image.getAttribute("alt") || "").trim()) fault(image, "an image without alt");
  }
  for (const figure of all("img, svg")) {
    const { width, height, left, right } = box(figure);
    if (width < 1 || height < 1) {
      fault(figure, "a figure of no size");
      continue;
    }
    const place = style(figure.parentElement);
    const room = figure.parentElement.clientWidth
      - parseFloat(place.paddingLeft) - parseFloat(place.paddingRight);
    if (width > room + SLACK) fault(figure, `${px(width)} wide in a place of ${px(room)}`);
    for (let outer = figure.parentElement; outer; outer = outer.parentElement) {
      const cuts = style(outer).overflowX !== "visible" && outer !== root && outer !== document.body;
      if (cuts && (left < box(outer).left - SLACK || right > box(outer).right + SLACK))
        fault(figure, "a figure cut off at its side");
    }
  }

  // Tables say what they are, fit a screen, and can be read on a phone.
  for (const table of all("table").filter(shown)) {
    if (!table.caption || !words(table.caption)) fault(table, "a table without caption");
    const scroll = table.closest(".scroll");
    if (!scroll && box(table).right > innerWidth + SLACK)
      fault(table, "wider than the page, and nothing lets it scroll");
    if (scroll && innerWidth >= WIDE && scroll.scrollWidth > scroll.clientWidth + SLACK)
      fault(table, `${px(scroll.scrollWidth)} wide: it must scroll in ${px(scroll.clientWidth)}`);
  }
  for (const cell of all("td, th, caption, figcaption").filter(shown)) {
    const { fontSize, lineHeight, overflowX, paddingTop, paddingBottom } = style(cell);
    const hides = overflowX !== "visible";
    if (hides && (cell.scrollWidth > cell.clientWidth + 1 || cell.scrollHeight > cell.clientHeight + 1))
      fault(cell, "its text is cut off");
    if (parseFloat(fontSize) < SMALLEST_TEXT) fault(cell, `text of ${fontSize} is too small`);
    if (!cell.matches("td, th")) continue;
    range.selectNodeContents(cell);
    const height = Math.max(0, range.getBoundingClientRect().height);
    const lines = Math.round(height / (parseFloat(lineHeight) || 1.4 * parseFloat(fontSize)));
    if (lines > MOST_LINES) fault(cell, `${lines} lines in one cell`);
    if (/^(nan|NaN|NaT|None|<NA>|-?inf|undefined)$/.test(words(cell)))
      fault(cell, "a value that means nothing to a reader");
  }

  // No word is broken in two, where a column is too narrow for it.
  for (const node of texts) {
    const holder = node.parentElement.closest("td, th, caption, figcaption, dt, dd, h1, h2, h3");
    if (!holder || scroller(holder)?.tagName === "PRE") continue;
    for (const { index, 0: word } of node.data.matchAll(/[\p{L}\p{N}]+/gu)) {
      const tops = rects(node, index, index + word.length).map((line) => Math.round(line.top));
      if (new Set(tops).size > 1) fault(holder, `the word "${word}" is broken over lines`);
    }
  }

  // Headings say something, once, and something that shows stands under each.
  const follows = (one, other) =>
    one.compareDocumentPosition(other) & Node.DOCUMENT_POSITION_FOLLOWING && !one.contains(other);
  const content = [...texts, ...all("img, svg").filter(shown)];
  const headings = all("h1, h2, h3, h4").filter((h) => shown(h) && !h.closest("aside"));
  const seen = new Set();
  for (const [position, heading] of headings.entries()) {
    const text = words(heading);
    if (!text) fault(heading, "an empty heading");
    else if (seen.has(text)) fault(heading, "this heading stands twice on the page");
    seen.add(text);
    const next = headings[position + 1];
    if (next && next.tagName > heading.tagName) continue; // a heading below this one
    const under = content.some((c) => follows(heading, c) && (!next || follows(c, next)));
    if (!under) fault(heading, "nothing stands under this heading");
  }
  return [...new Set(faults)];
}
