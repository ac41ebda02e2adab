#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# regmix encode: ids of lines and of files, and back; pipes, memory, threads, errors.
. "$(dirname "$0")/tap.sh"
cd "$SCRATCH" || exit 1

# A tokenizer in which the id of a byte is the byte, "ab" is 256 and "abc" is 257.
python3 - << 'END'
import json
printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
spelt, more = {}, 256
for byte in range(256):
    spelt[byte] = chr(byte) if byte in printable else chr(more)
    more += byte not in printable
vocab = {spelt[byte]: byte for byte in range(256)}
vocab.update({"ab": 256, "abc": 257})
special = dict(id=258, content="<|endoftext|>", single_word=False, lstrip=False, rstrip=False, normalized=False, special=True)
json.dump({"version": "1.0", "added_tokens": [special], "normalizer": None,
           "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
           "model": {"type": "BPE", "vocab": vocab, "merges": ["a b", "ab c"]}}, open("t.json", "w"))
END
encode() { "$REGMIX" encode --tokenizer t.json "$@"; }

# gives NAME TEXT WANTED OPTIONS...: standard input TEXT (of printf) gives WANTED on standard output.
gives() {
  name=$1 text=$2
  # shellcheck disable=SC2059
  printf "$3" > wanted
  shift 3
  # shellcheck disable=SC2059
  printf "$text" | encode "$@" > got 2> stderr
  code=$?
  if [ $code -eq 0 ] && cmp -s wanted got; then ok "$name"; else not_ok "$name" "exit $code: $(od -c got | head -5; cat stderr)"; fi
}

gives "a line" 'abc x\n' '257 32 120\n'
gives "no text" '' ''
gives "no line feed at the end" 'a\nb' '97\n98\n'
gives "empty lines" '\n\na\n\n' '\n\n97\n\n'
gives "a carriage return, a NUL byte and a byte order mark are text" 'a\r\n\0\n\357\273\277\n' '97 13\n0\n239 187 191\n'
gives "standard input as -" 'a\n' '97\n' -
gives "special tokens are text" '<|endoftext|>' '60 124 101 110 100 111 102 116 101 120 116 124 62\n' --specials text
gives "or tokens" 'a<|endoftext|>b\n' '97 258 98\n' --specials tokens
gives "bytes that are not UTF-8" 'a\377\303\nb\n' '97 239 191 189 239 191 189\n98\n'
grep -qF 'standard input: 2 bytes are not UTF-8; each was read as U+FFFD' stderr && ok "and they are counted" || not_ok "and they are counted" "$(cat stderr)"
gives "one byte that is not UTF-8" 'a\377\n' '97 239 191 189\n'
grep -qF 'standard input: 1 byte is not UTF-8; each was' stderr && ok "and it is counted" || not_ok "and it is counted" "$(cat stderr)"
gives "a whole file" 'a\n\nb\n' '97 10 10 98 10\n' --whole
gives "a whole file without text" '' '\n' --whole
printf 'a\n' > one
printf 'b' > two
: > three
gives "several files" '' '97\n98\n' one two three
gives "several whole files" '' '97 10\n98\n\n' --whole one two three

gives "ids to text" '257 32 120\n\n 97\t98 \r\n' 'abc x\n\nab\n' --decode
gives "ids to text, without line feeds" '97 10\n98' 'a\nb' --decode --whole
gives "no ids" '' '' --decode
printf '97 10\n\n98' > ids
gives "ids from a file" '' 'a\n\n\nb\n' --decode ids
# refuses NAME TEXT MESSAGE
refuses() {
  # shellcheck disable=SC2059
  printf "$2" > bad
  encode --decode bad > got 2> stderr
  code=$?
  if [ $code -eq 1 ] && grep -qF -- "$3" stderr && [ "$(cat got)" = a ]; then ok "$1"; else not_ok "$1" "exit $code: $(cat got stderr)"; fi
}
refuses "a word" '97\n98 x4\n97\n' 'bad:2: "x4" is not a token id; wanted whole numbers from 0 to 258'
refuses "an id that is not in the vocabulary" '97\n98 259' 'bad:2: the id 259, which is number 2, is not in the vocabulary of 259'
refuses "an id that no number can hold" '97\n184467440737095516160\n' 'bad:2: "184467440737095516160" is not a token id'
refuses "a negative id" '97\n-1\n' 'bad:2: "-1" is not'
refuses "a NUL byte" '97\n9\0007\n' 'bad:2: "9" is not'
refuses "a control character" '97\n\033[2J\n' 'bad:2: "?[2J" is not'

try "no tokenizer" 2 "--tokenizer FILE is missing" "$REGMIX" encode one
try "no such tokenizer" 1 "none.json" "$REGMIX" encode --tokenizer none.json one
try "no such file" 1 "cannot open none: No such file" "$REGMIX" encode --tokenizer t.json one none
try "a folder" 1 "cannot read .: Is a directory" "$REGMIX" encode --tokenizer t.json .
try "the help" 0 "Usage: regmix encode" "$REGMIX" encode --help
try "completion knows its options" 0 "--whole" "$REGMIX" complete -- encode --w

# ---- much text: lines of all lengths, one longer than what is read at once
python3 - << 'END'
import random
random.seed(5)
words = ["abc", "ab", "x", "\u00e9", "\u65e5\u672c", "\U0001F600", "12", ".", " ", "\r", "\t", "<|endoftext|>"]
with open("much", "w", encoding="utf-8", newline="") as f:
    for i in range(30000):
        f.write("".join(random.choices(words, k=random.choice((0, 1, 20, 60)))) + "\n")
        if i == 9000: f.write(" ".join(random.choices(words, k=600000)) + "\n")
    f.write("the end")
END
encode much --threads 1 > ids1 && encode much --threads 5 > ids5
cmp -s ids1 ids5 && ok "the number of threads does not matter" || not_ok "the number of threads does not matter"
cat much | encode > ids
cmp -s ids1 ids && ok "nor does a pipe" || not_ok "nor does a pipe"
[ "$(wc -l < ids1)" -eq 30002 ] && ok "a line of ids for each line" || not_ok "a line of ids for each line" "$(wc -l < ids1)"
{ cat much; echo; } > wanted
encode --decode ids1 > back
cmp -s wanted back && ok "decoded, it is the same text" || not_ok "decoded, it is the same text"
encode --whole much | encode --decode --whole > back
cmp -s much back && ok "and as a whole, to the last byte" || not_ok "and as a whole, to the last byte"

# ---- counts
encode --json one two much > counts.json
if why=$(python3 -c '
import json
o, text = json.load(open("counts.json")), open("much", "rb").read()
ids = open("ids1").read().split()
wanted = dict(files=3, lines=30004, bytes=len(text) - text.count(b"\n") + 2, tokens=len(ids) + 2, bytes_replaced=0)
for key, value in wanted.items(): assert o[key] == value, (key, o[key], value)
assert abs(o["bytes_per_token"] - o["bytes"] / o["tokens"]) < 1e-9
for key in "load_seconds", "seconds", "processor_seconds", "mb_per_s", "mb_per_processor_s": assert o[key] > 0, key
' 2>&1); then ok "--json counts"; else not_ok "--json counts" "$why"; fi
encode --json --decode ids1 | tr -d ' \n' > decoded.json
grep -q "\"tokens\":$(wc -w < ids1 | tr -d ' ')," decoded.json && ok "--json counts what is decoded" || not_ok "--json counts what is decoded" "$(cat decoded.json)"

# ---- pipes
{ yes abc | encode 2> stderr; echo $? > code; } | head -n 1 > got
# 141: ended by SIGPIPE, as other programs
[ "$(cat got)" = 257 ] && [ ! -s stderr ] && [ "$(cat code)" = 141 ] && ok "the reader leaves" || not_ok "the reader leaves" "$(cat got code stderr)"
if [ -w /dev/full ]; then
  encode much > /dev/full 2> stderr
  [ $? -eq 1 ] && grep -q "No space left" stderr && ok "a full disk" || not_ok "a full disk" "$(cat stderr)"
else
  skip "a full disk" "no /dev/full"
fi
if why=$(python3 - "$REGMIX" 2>&1 << 'END'
import signal, subprocess, sys
p = subprocess.Popen([sys.argv[1], "encode", "--tokenizer", "t.json"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
signal.alarm(60)
for text, ids in ((b"ab\n", b"256\n"), (b"\n", b"\n"), (b"abc\n", b"257\n")):
    p.stdin.write(text)
    p.stdin.flush()
    got = p.stdout.readline()
    assert got == ids, (text, got)
p.send_signal(signal.SIGINT)
assert p.wait() == 130, p.returncode
END
); then ok "a line is answered when it comes; an interrupt"; else not_ok "a line is answered when it comes; an interrupt" "$why"; fi

# ---- memory does not grow with the text
if why=$(python3 - "$REGMIX" 2>&1 << 'END'
import resource, subprocess, sys
def memory(copies):
    code = "import resource, subprocess, sys\n" \
           "p = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL)\n" \
           "line = b'some words of a line\\n' * 50000\n" \
           "for i in range(int(sys.argv[1])): p.stdin.write(line)\n" \
           "p.stdin.close(); assert p.wait() == 0\n" \
           "print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)"
    run = [sys.executable, "-c", code, str(copies), sys.argv[1], "encode", "--tokenizer", "t.json", "--threads", "2"]
    return int(subprocess.check_output(run))
few, many = memory(4), memory(40)
assert many < few + 12000, (few, many)
END
); then ok "memory does not grow with the text"; else not_ok "memory does not grow with the text" "$why"; fi
done_testing
