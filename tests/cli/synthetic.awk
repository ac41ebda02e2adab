# SPDX-License-Identifier: Apache-2.0
# A corpus with a known best mixture. Two small "languages" (a, b), each words of its own in an order of
# its own, and one of noise. The exam's documents are `share` of language a, the rest of b, no noise.
# awk -v domain=a|b|noise|exam -v documents=N -v share=0.7 -f synthetic.awk
# The numbers come from a generator of our own: awk's differ between systems.
function draw(n) {
  state = (state * 69069 + 12345) % 4294967296
  return int(state / 4294967296 * n)
}
function word(language, k,    text, i) {
  # Word k of a language: letters drawn by a little generator keyed by both.
  seed = (k * 7919 + (language == "a" ? 101 : 57007)) % 65537
  text = ""
  for (i = 0; i < 2 + seed % 4; i++) {
    seed = (seed * 75 + 74) % 65537
    text = text substr(language == "a" ? "aeioubcdfg" : "lmnprstvyz", 1 + seed % 10, 1)
  }
  return text
}
function sentence(language, n,    text, k, i) {
  text = ""
  k = draw(60)
  for (i = 0; i < n; i++) {
    text = text (i ? " " : "") word(language, k)
    # Each word has three that may follow it: that is the grammar to learn.
    k = (k * 17 + 3 + draw(3) * 11) % 60
  }
  return text "."
}
function noise(n,    text, i) {
  text = ""
  for (i = 0; i < n; i++) text = text sprintf("%c", 33 + draw(90)) (draw(5) ? "" : " ")
  gsub(/%/, "x", text)
  return text
}
BEGIN {
  state = domain == "a" ? 1 : domain == "b" ? 2 : domain == "noise" ? 3 : 4
  for (d = 0; d < documents; d++) {
    for (s = 0; s < 4; s++) {
      if (domain == "noise") print noise(60)
      else if (domain == "exam") print sentence(draw(1000) < share * 1000 ? "a" : "b", 14)
      else print sentence(domain, 14)
    }
    print "%"
  }
}
