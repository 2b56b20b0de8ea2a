// The picture of a timeline: a column a slice, the user above, the assistant below. Draws what changed, and no more.

const REASONS = { withdrawn: "not said", back_channel: "back-channel", empty: "no words" };
const KINDS = {
  speech: "speech",
  silence: "silence",
  end: "end of the message",
  limit: "as long as it may be",
  interrupted: "cut short",
};

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
    this._drawn = new Map(); // slice → {item, revision}
    this._draft = null;
    this._chosen = null;
    this._following = true; // the newest slice is in sight, until somebody scrolls back
    this._left = 0;
    list.addEventListener("keydown", (event) => this._move(event));
    frame.addEventListener("scroll", () => this._scrolled());
    frame.addEventListener("pointerleave", () => this._describe(this._chosen));
  }

  show(timeline) {
    const now = new Set(timeline.slices);
    for (const [slice, { item }] of this._drawn) {
      if (now.has(slice)) continue;
      item.remove();
      this._drawn.delete(slice);
      if (this._chosen === slice) this._choose(null);
    }
    let place = this._list.firstElementChild;
    for (const slice of timeline.slices) {
      const drawn = this._drawn.get(slice);
      if (!drawn) this._list.insertBefore(this._make(slice, timeline), place);
      else {
        place = drawn.item.nextElementSibling;
        if (drawn.revision !== slice.revision) this._fill(drawn, slice, timeline);
      }
    }
    this._showDraft(timeline.pending);
    if (!this._list.querySelector('[tabindex="0"]')) this._list.querySelector(".slice")?.setAttribute("tabindex", "0");
    if (this._following) this._frame.scrollTo({ left: this._frame.scrollWidth, behavior: calm.matches ? "auto" : "smooth" });
  }

  /** A smooth scroll to the end passes through places that are not the end; only going back says something. */
  _scrolled() {
    const { scrollLeft, clientWidth, scrollWidth } = this._frame;
    if (scrollLeft + clientWidth >= scrollWidth - 8) this._following = true;
    else if (scrollLeft < this._left) this._following = false;
    this._left = scrollLeft;
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
    for (const [each, { button }] of this._drawn) {
      button.toggleAttribute("aria-current", false);
      button.tabIndex = each === slice ? 0 : -1;
    }
    this._drawn.get(slice)?.button.setAttribute("aria-current", "true");
    this._chosen = slice;
    this._describe(slice);
  }

  _describe(slice) {
    this._details.textContent = slice ? describe(slice) : this._hint;
  }

  _move(event) {
    const buttons = [...this._list.querySelectorAll("button.slice")];
    const here = buttons.indexOf(event.target);
    const to = { ArrowLeft: here - 1, ArrowRight: here + 1, Home: 0, End: buttons.length - 1 }[event.key];
    if (here < 0 || to === undefined || !buttons[to]) return;
    event.preventDefault();
    buttons[to].focus();
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
