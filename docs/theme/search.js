// Full-text search over the book and the references, from disk as well as from a server: lunr makes
// its index of COURSE_PAGES (search_index.js) when the field is first used.
(function () {
  "use strict";
  const most = 30;
  let index = null;

  function makeIndex() {
    index = index || lunr(function () {
      this.ref("at");
      this.field("title", {boost: 8});
      this.field("text");
      // Names are searched as they are written, and prose as it is spoken: no stemming for names.
      COURSE_PAGES.forEach((page, at) => {
        this.add({at: at, title: page.title, text: page.words}, {boost: page.boost});
      });
    });
    return index;
  }

  function find(text) {
    const words = text.toLowerCase().split(/[^\w~]+/).filter((word) => word.length > 1);
    if (words.length === 0) return [];
    const results = makeIndex().query(function (query) {
      for (const word of words) {
        const required = lunr.Query.presence.REQUIRED;
        const wildcard = lunr.Query.wildcard.TRAILING;
        const stemmed = lunr.stemmer(new lunr.Token(word, {})).toString();
        if (words.length === 1) {
          query.term(word, {boost: 10, usePipeline: true});
          query.term(stemmed, {wildcard: wildcard, usePipeline: false});
          query.term(word, {wildcard: wildcard, usePipeline: false});
        } else {
          query.term(stemmed, {wildcard: wildcard, usePipeline: false, presence: required});
        }
      }
    });
    return results.slice(0, most).map((result) => COURSE_PAGES[result.ref]);
  }

  function show(list, text) {
    list.replaceChildren();
    const found = find(text);
    if (found.length === 0 && text.trim().length > 1) {
      const nothing = document.createElement("li");
      nothing.textContent = "Nothing has these words.";
      list.append(nothing);
    }
    for (const page of found) {
      const item = document.createElement("li");
      const link = document.createElement("a");
      link.href = COURSE_ROOT + page.url;
      link.textContent = page.title;
      const where = document.createElement("small");
      where.textContent = page.where + (page.excerpt ? ": " + page.excerpt : "");
      link.append(where);
      item.append(link);
      list.append(item);
    }
  }

  document.addEventListener("DOMContentLoaded", function () {
    const box = document.getElementById("course-search");
    const field = box.querySelector("input");
    const list = box.querySelector("ol");
    let pending = 0;
    field.addEventListener("input", function () {
      clearTimeout(pending);
      pending = setTimeout(() => show(list, field.value), 120);
    });
    document.addEventListener("keydown", function (event) {
      if (event.key === "Escape") list.replaceChildren();
      if (event.key === "/" && document.activeElement !== field) {
        event.preventDefault();
        field.focus();
      }
      if (event.key === "ArrowDown" && box.contains(document.activeElement)) {
        const links = [...list.querySelectorAll("a")];
        const next = links[links.indexOf(document.activeElement) + 1];
        if (next) { event.preventDefault(); next.focus(); }
      }
    });
    document.addEventListener("click", function (event) {
      if (!box.contains(event.target)) list.replaceChildren();
    });
    const asked = new URLSearchParams(location.search).get("search");
    if (asked) {
      field.value = asked;
      show(list, asked);
    }
  });
})();
