// The words of a conversation, a message each, and what a screen reader is told of them.

import { cut } from "./timeline.js";
import { element, struck } from "./picture.js";

const ENDS = {
  cancelled: "interrupted",
  incomplete: "as long as it may be",
  failed: "failed",
};

const MOST = 150; // messages that are drawn, unless somebody wants to see earlier ones
const LEAST = 100; // of these, those that stay where the others go

export class Log {
  /** `earlier`: a button for the messages that are not drawn. */
  constructor({ list, frame, welcome, live, earlier }) {
    this._list = list;
    this._frame = frame;
    this._welcome = welcome;
    this._live = live;
    this._earlier = earlier;
    this._timeline = null;
    this._from = 0; // the first that is drawn
    this._drawn = new Map(); // item → {message, key}
    this._following = true; // the newest words are in sight, until somebody scrolls back
    this._put = 0; // where the frame was put to follow them
    frame.addEventListener("scroll", () => {
      // It comes a while after the frame was put there; meanwhile more may have been said, or the frame be smaller.
      if (frame.scrollTop + frame.clientHeight >= frame.scrollHeight - 8) this._following = true;
      else if (frame.scrollTop < this._put - 8) this._following = false;
    });
    earlier.addEventListener("click", () => this._showEarlier());
    new ResizeObserver(() => this._follow()).observe(frame);
  }

  show(timeline) {
    const { length } = timeline.items;
    if (timeline !== this._timeline) this._from = 0;
    this._timeline = timeline;
    if (this._following && length - this._from > MOST) this._from = length - LEAST;
    this._draw();
    this._showDraft(timeline.pending);
    this._welcome.hidden = length > 0 || Boolean(timeline.pending);
    this._follow();
  }

  _draw() {
    const items = this._timeline.items.slice(this._from);
    const now = new Set(items);
    for (const [item, { message }] of this._drawn) {
      if (now.has(item)) continue;
      message.remove();
      this._drawn.delete(item);
    }
    let place = this._list.firstElementChild;
    for (const item of items) {
      const key = `${item.text.length} ${item.kept} ${item.status}`;
      let drawn = this._drawn.get(item);
      if (!drawn) {
        drawn = { message: element("li", { class: `message ${item.role}` }) };
        this._drawn.set(item, drawn);
        this._list.insertBefore(drawn.message, place);
      } else place = drawn.message.nextElementSibling;
      if (drawn.key === key) continue;
      drawn.key = key;
      drawn.message.replaceChildren(...content(item));
    }
    this._earlier.hidden = this._from === 0;
  }

  /** What is in sight stays where it is; whoever pressed the button reads on from there. */
  _showEarlier() {
    const before = this._frame.scrollHeight;
    this._following = false;
    this._from = Math.max(0, this._from - LEAST);
    this._draw();
    this._frame.scrollTop += this._frame.scrollHeight - before;
    if (this._earlier.hidden) this._frame.focus();
  }

  _follow() {
    if (!this._following) return;
    this._frame.scrollTop = this._frame.scrollHeight;
    this._put = this._frame.scrollTop;
  }

  /** Has a screen reader say it: whole phrases, one behind the other. */
  announce(text) {
    if (text.trim()) this._live.replaceChildren(text.trim());
  }

  _showDraft(text) {
    this._draft?.remove();
    if (!text) return;
    this._draft = element("li", { class: "message user draft" }, speaker("You, not said yet: "), text);
    this._list.append(this._draft);
  }
}

function content(item) {
  const parts = [speaker(item.role === "user" ? "You: " : "Assistant: "), cut(item.text, 0, item.kept ?? Infinity).trimStart()];
  const rest = item.kept === null ? "" : cut(item.text, item.kept);
  if (rest) parts.push(...struck(rest));
  if (ENDS[item.status]) parts.push(element("span", { class: "note" }, ENDS[item.status]));
  return parts;
}

function speaker(name) {
  return element("span", { class: "hidden" }, name);
}
