// The picture of a timeline: a column a slice, the user above, the assistant below. Draws what changed, and no more.

const REASONS = { withdrawn: "not said", back_channel: "back-channel", empty: "no words" };
const KINDS = {
  speech: "speech",
  silence: "silence",
  end: "end of the message",
  limit: "as long as it may be",
  interrupted: "cut short",
};

const MOST = 160; // slices that are drawn at a time
const LEAST = 100; // of these, those that stay where the others go
const GAP = 4; // pixels between two, as in the style
const USUAL = 120; // pixels, of a slice that was never drawn

const calm = matchMedia("(prefers-reduced-motion: reduce)");

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) if (value !== null && value !== false) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

/** What a slice took, in a line. */
export function describe(slice) {
  const { number, kind, tokens, ms, gap, held } = slice;
  if (kind === null) return "This slice is not over yet.";
  const took = ms.first_token === null ? "no token" : `first token ${milliseconds(ms.first_token)}, last ${milliseconds(ms.total)}`;
  const guessed = tokens.guessed > 0 ? `, ${tokens.guessed} guessed ahead` : "";
  const counts = `${tokens.reused} reused, ${tokens.prefilled} prefilled, ${tokens.sampled} sampled${guessed}`;
  const facts = [`Slice ${number}: ${KINDS[kind] ?? kind}`, took, counts];
  if (tokens.dropped > 0) facts.push(`${tokens.dropped} guessed before it and dropped`);
  if (held) facts.push("held back while you spoke");
  if (gap) facts.push(`clock stood ${(gap / 1000).toFixed(1)} s`);
  return `${facts.join(" · ")}.`;
}

function milliseconds(value) {
  return `${value < 10 ? value.toFixed(1) : Math.round(value)} ms`;
}

export class Picture {
  /** `list`: the list that holds the slices; `frame`: what scrolls; `details`: where a slice is described. */
  constructor({ list, frame, details }) {
    this._list = list;
    this._frame = frame;
    this._details = details;
    this._hint = details.textContent;
    this._timeline = null;
    this._drawn = new Map(); // slice → {item, revision}
    this._from = this._to = 0; // which slices are drawn; room is left for the others
    this._widths = new WeakMap(); // slice → pixels, of those that were drawn once
    this._draft = null;
    this._chosen = null;
    this._following = true; // the newest slice is in sight, until somebody scrolls back
    this._left = 0;
    list.addEventListener("keydown", (event) => this._move(event));
    frame.addEventListener("scroll", () => this._scrolled());
    new ResizeObserver(() => this._following && this._toEnd("auto")).observe(frame);
    frame.addEventListener("pointerleave", () => this._describe(this._chosen));
  }

  show(timeline) {
    if (timeline !== this._timeline) this._startOver(timeline);
    const { length } = timeline.slices;
    if (this._following) this._follow(length);
    else if (length - this._from <= MOST) this._to = length;
    this._draw();
    if (this._following) this._toEnd(calm.matches ? "auto" : "smooth");
  }

  _toEnd(behavior) {
    this._frame.scrollTo({ left: this._frame.scrollWidth, behavior });
  }

  _startOver(timeline) {
    this._timeline = timeline;
    this._from = this._to = 0;
    this._following = true;
    this._choose(null);
  }

  /** The newest slices are drawn. Whoever stands on one of them stays with it: then the picture does not run on. */
  _follow(length) {
    const focused = this._focused();
    let from = length - this._from > MOST ? length - LEAST : this._from;
    if (focused >= 0) from = Math.min(from, focused);
    if (length - from > MOST) this._following = false;
    else [this._from, this._to] = [from, length];
  }

  /** The place of the slice that has the focus; -1: none has. */
  _focused() {
    return this._list.contains(document.activeElement) ? this._timeline.slices.indexOf(this._chosen) : -1;
  }

  /** Draws the slices from `_from` to `_to`, and no others. */
  _draw() {
    const timeline = this._timeline;
    const slices = timeline.slices.slice(this._from, this._to);
    const now = new Set(slices);
    const gone = [...this._drawn].filter(([slice]) => !now.has(slice));
    const lost = gone.some(([, { button }]) => button === document.activeElement);
    const inSight = this._frame.clientWidth > 0; // else nothing has a breadth
    for (const [slice, { item }] of gone.length && inSight ? this._drawn : []) {
      this._widths.set(slice, item.offsetWidth + GAP);
    }
    for (const [slice, { item }] of gone) {
      item.remove();
      this._drawn.delete(slice);
    }
    let place = this._list.firstElementChild;
    for (const slice of slices) {
      const drawn = this._drawn.get(slice);
      if (!drawn) this._list.insertBefore(this._make(slice, timeline), place);
      else {
        place = drawn.item.nextElementSibling;
        if (drawn.revision !== slice.revision) this._fill(drawn, slice, timeline);
      }
    }
    this._count(slices);
    this._leaveRoom();
    this._showDraft(this._to === timeline.slices.length ? timeline.pending : "");
    if (lost) this._drawn.get(slices[this._chosenIsBefore() ? 0 : slices.length - 1])?.button.focus({ preventScroll: true });
    if (!this._list.querySelector('[tabindex="0"]')) this._list.querySelector(".slice")?.setAttribute("tabindex", "0");
  }

  _chosenIsBefore() {
    return this._timeline.slices.indexOf(this._chosen) < this._from;
  }

  /** A screen reader is told of all that there are. */
  _count(slices) {
    const size = String(this._timeline.slices.length);
    slices.forEach((slice, index) => {
      const { item } = this._drawn.get(slice);
      item.setAttribute("aria-posinset", String(this._from + index + 1));
      item.setAttribute("aria-setsize", size);
    });
  }

  /** As broad as what is not drawn, as far as that is known. */
  _leaveRoom() {
    const { slices } = this._timeline;
    const before = this._breadth(0, this._from);
    const behind = this._breadth(this._to, slices.length);
    this._list.style.setProperty("padding-left", before ? `${before}px` : "");
    this._list.style.setProperty("padding-right", behind ? `${behind}px` : "");
  }

  _breadth(from, to) {
    let sum = 0;
    for (let place = from; place < to; place++) sum += this._width(place);
    return sum;
  }

  _width(place) {
    return this._widths.get(this._timeline.slices[place]) ?? USUAL;
  }

  /** Draws the slices around one, wherever they are, without moving what is in sight. */
  _drawAround(place) {
    const { length } = this._timeline.slices;
    const anchor = [...this._drawn.values()].find(({ item }) => item.offsetLeft >= this._frame.scrollLeft)?.item;
    const was = anchor?.offsetLeft;
    this._from = Math.max(0, Math.min(place - Math.floor(LEAST / 2), length - LEAST));
    this._to = Math.min(length, this._from + LEAST);
    this._draw();
    if (anchor?.isConnected) this._frame.scrollLeft += anchor.offsetLeft - was;
    else {
      const { item } = this._drawn.get(this._timeline.slices[place]);
      this._frame.scrollLeft = item.offsetLeft - this._frame.clientWidth / 2;
    }
    this._left = this._frame.scrollLeft;
  }

  /** A smooth scroll to the end passes through places that are not the end; only going back says something. */
  _scrolled() {
    const { scrollLeft, clientWidth, scrollWidth } = this._frame;
    const { slices } = this._timeline ?? { slices: [] };
    const atEnd = this._to === slices.length && scrollLeft + clientWidth >= scrollWidth - 8;
    if (atEnd) this._following = true;
    else if (scrollLeft < this._left) this._following = false;
    this._left = scrollLeft;
    if (this._following || !this._drawn.size) return;
    const first = this._drawn.get(slices[this._from])?.item;
    const last = this._drawn.get(slices[this._to - 1])?.item;
    if (!first || !last) return; // a slice has come between these, and is drawn in a moment
    const near = clientWidth; // what comes into sight next is drawn before it does
    const early = this._from > 0 && scrollLeft < first.offsetLeft + near;
    const late = this._to < slices.length && scrollLeft + clientWidth > last.offsetLeft + last.offsetWidth - near;
    if (!early && !late) return;
    const toEnd = scrollLeft + clientWidth >= scrollWidth - 8;
    this._drawAround(this._at(scrollLeft + clientWidth / 2, first.offsetLeft));
    if (toEnd) this._frame.scrollLeft = this._frame.scrollWidth; // which may be elsewhere, now that the breadths are known
    else if (scrollLeft === 0) this._frame.scrollLeft = 0;
  }

  /** Which slice is at a place of the picture. */
  _at(left, firstLeft) {
    const { slices } = this._timeline;
    for (const [slice, { item }] of this._drawn) {
      if (item.offsetLeft <= left && left < item.offsetLeft + item.offsetWidth + GAP) return slices.indexOf(slice);
    }
    let place = left < firstLeft ? 0 : this._to;
    let rest = left < firstLeft ? left : left - this._frame.scrollWidth + this._breadth(this._to, slices.length);
    while (place < slices.length - 1 && rest > this._width(place)) rest -= this._width(place++);
    return place;
  }

  _make(slice, timeline) {
    const button = element("button", { type: "button", class: "slice", tabindex: "-1", "aria-describedby": "details" });
    const item = element("li", {});
    if (slice.session) item.append(element("span", { class: "boundary" }, "new session"));
    if (slice.gap) item.append(element("span", { class: "gap" }, `${Math.round(slice.gap / 1000) || "<1"} s`));
    item.append(button);
    button.addEventListener("focus", () => this._choose(slice));
    button.addEventListener("pointerenter", () => this._describe(slice));
    button.addEventListener("click", () => this._choose(slice));
    if (slice === this._chosen) this._mark(button);
    const drawn = { item, button, revision: -1 };
    this._drawn.set(slice, drawn);
    this._fill(drawn, slice, timeline);
    return item;
  }

  _fill(drawn, slice, timeline) {
    drawn.revision = slice.revision;
    drawn.button.classList.toggle("held", slice.held);
    const said = slice.words.length > 0;
    const user = element("span", { class: `cell user ${slice.user.some(({ state }) => state === "said") ? "filled" : ""}` });
    for (const { text, state } of slice.user) {
      if (state === "said") user.append(element("span", { class: "clamp" }, hidden("You: "), text));
      else {
        const why = element("span", { class: "why" }, REASONS[state] ?? state);
        user.append(element("span", { class: "false-alarm" }, element("span", { class: "clamp" }, text || "…"), why));
      }
    }
    if (!slice.user.length) user.append(dots("you are silent"));
    const assistant = element("span", { class: `cell assistant ${said ? "filled" : ""}` });
    if (said) {
      const words = element("span", { class: "clamp" }, hidden("Assistant: "));
      for (const { text, state } of timeline.parts(slice)) {
        if (state === "struck") words.append(...struck(text));
        else words.append(element("span", { class: state }, text));
      }
      assistant.append(words);
    } else assistant.append(slice.open ? element("span", { class: "dots" }, "…") : dots("the assistant is silent"));
    const foot = element("span", { class: "foot" });
    const { guessed = 0, dropped = 0 } = slice.tokens ?? {};
    const guesses = `${guessed > 0 ? "◆" : ""}${dropped > 0 ? "◇" : ""}`;
    if (guesses) foot.append(element("span", { class: "guess", "aria-hidden": "true" }, guesses));
    foot.append(slice.number === null ? "" : `${slice.number}${slice.ms ? ` · ${milliseconds(slice.ms.total)}` : ""}`);
    drawn.button.replaceChildren(user, assistant, foot);
    if (this._chosen === slice) this._describe(slice);
  }

  _showDraft(text) {
    if (!text) {
      this._draft?.remove();
      this._draft = null;
      return;
    }
    this._draft ??= element("li", { class: "pending" });
    const cell = element("span", { class: "cell draft" }, element("span", { class: "clamp" }, hidden("being typed: "), text));
    this._draft.replaceChildren(element("span", { class: "slice" }, cell));
    this._list.append(this._draft);
  }

  _choose(slice) {
    for (const { button } of this._drawn.values()) {
      button.removeAttribute("aria-current");
      button.tabIndex = -1;
    }
    const drawn = this._drawn.get(slice);
    if (drawn) this._mark(drawn.button);
    this._chosen = slice;
    this._describe(slice);
  }

  _mark(button) {
    button.setAttribute("aria-current", "true");
    button.tabIndex = 0;
  }

  _describe(slice) {
    this._details.textContent = slice ? describe(slice) : this._hint;
  }

  _move(event) {
    const { slices } = this._timeline;
    const here = slices.indexOf(this._chosen);
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: slices.length - 1 }[event.key];
    if (here < 0 || !slices[to]) return;
    event.preventDefault();
    if (to < this._from || to >= this._to) this._drawAround(to);
    this._drawn.get(slices[to]).button.focus();
  }
}

/** Words that were taken back; the space before them is not struck through. */
export function struck(text) {
  const space = text.slice(0, text.length - text.trimStart().length);
  return [space, element("del", { class: "struck" }, hidden("taken back: "), text.trimStart())];
}

function hidden(text) {
  return element("span", { class: "hidden" }, text);
}

function dots(meaning) {
  return element("span", { class: "dots" }, element("span", { "aria-hidden": "true" }, "···"), hidden(meaning));
}
