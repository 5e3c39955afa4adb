#!/bin/sh
# seconds: 600
# what people read: codim report, rerun, -citations, the man page, the readers in Python and R, a browser's view of the page; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh
skip() {
  count=$((count + 1))
  echo "ok $count # skip $1"
}
on() { # STATUS RANKS COMMAND…: that exit status, no trace
  wanted=$1
  shift
  run "$@"
  [ "$status" = "$wanted" ] && ! grep -q 'PETSC ERROR' "$place/log"
}
h5py=
for p in python3 /usr/bin/python3; do $p -c 'import h5py' 2>/dev/null && h5py=$p && break; done

cat >"$place/small.yaml" <<'END'
data: {file: jobs/data/digits.csv, points: 40, scale: standard, target_scale: unit}
net: {widths: [20, 10], activation: tanh}
hessian: {density: 12}
walk: {steps: 5}
END
printf 'a,b,y\n1,2,3\n4,5,6\n1,2,4\n' >"$place/contradiction.csv"
printf 'data: {file: %s, outputs: 1}\nnet: {widths: [8]}\n' "$place/contradiction.csv" >"$place/contradiction.yaml"
done=$place/run
claim "a run to report on, 2 ranks" on 0 2 run "$place/small.yaml" -output "$done" -citations
cites() { grep -q "$1" "$place/log"; }
claim "-citations names the paper" cites 'arXiv:1804.10200'
claim "... and what the proof rests on" cites 'Rump2006'
claim "... and SLEPc" cites 'slepc-toms'

# ---- rerun
claim "rerun on 3 ranks: the same verdict, the same counts" on 0 3 rerun "$done"
claim "... says so" grep -q 'the same verdict, the same counts' "$place/log"
claim "... into a directory of its own" test -s "$done/rerun/report.json"
claim "another seed is another spectrum: not borne out, exit 65" on 65 2 rerun "$done" -net_seed 7 -output "$place/other"
claim "... in one message" test "$(grep -c '^codim: .*not borne out' "$place/log")" = 1
claim "rerun of no run: exit 65" on 65 3 rerun "$place/nowhere"
claim "... in one message that says what was looked for" test "$(grep -c '^codim: .*report.json' "$place/log")" = 1

# ---- pages
claim "the page of a run" on 0 1 report "$done"
claim "... has the verdict at its top" grep -q '<strong>holds</strong> (proved)' "$done/report.html"
claim "... and the theorem" grep -q '<blockquote>Within' "$done/report.html"
claim "... and every figure" test "$(grep -c '<figure>' "$done/report.html")" = "$(ls "$done"/*.svg | wc -l)"
claim "... and asks for nothing from elsewhere" sh -c "! grep -oE '(src|href)=\"[^\"]*\"' '$done/report.html' | grep -v 'href=\"data:,\"'"
claim "two runs side by side" on 0 1 report "$done" "$place/other" -output "$place/compare.html"
claim "... the rows that differ are marked" grep -q 'class="differs"><th>options.net_seed' "$place/compare.html"
claim "... the others are not" grep -q '<tr><th>problem.points' "$place/compare.html"
claim "a run that was refuted before any spectrum" on 2 2 run "$place/contradiction.yaml" -output "$place/refuted"
claim "... has a page" on 0 2 report "$place/refuted"
claim "... with the cause" grep -q 'points 1 and 3' "$place/refuted/report.html"
claim "a directory without a report: exit 65" on 65 2 report "$place"
printf '{"verdict"' >"$place/report.json"
claim "a damaged report: exit 65" on 65 2 report "$place"
claim "... in one message" test "$(grep -c '^codim: ' "$place/log")" = 1
claim "a misspelt option is refused" on 64 1 report "$done" -ouput x
balanced() { # every element is closed, in order
  $python - "$1" >"$place/log" 2>&1 <<'END'
import html.parser, sys
VOID = {"meta", "link", "br"}
class Check(html.parser.HTMLParser):
    open = []
    def handle_starttag(self, tag, attributes):
        if tag not in VOID: self.open.append(tag)
    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())
check = Check()
check.feed(open(sys.argv[1]).read())
assert not check.open, check.open
END
}
claim "the page is well-formed" balanced "$done/report.html"
claim "the comparison is well-formed" balanced "$place/compare.html"

browser=$(command -v chromium || command -v chromium-browser || command -v google-chrome)
sees() { # a page in a real browser: no word on its console, and a picture of some size
  HOME=$place timeout -k 5 120 "$browser" --headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking \
    --disable-component-update --disable-sync --user-data-dir="$place/profile" --enable-logging=stderr --window-size="$2" \
    --screenshot="$place/shot.png" "file://$1" >"$place/log" 2>&1
  [ "$(wc -c <"$place/shot.png")" -gt 20000 ] && ! grep -q CONSOLE "$place/log"
}
hears() { # the same eyes see an error where there is one
  printf '<!DOCTYPE html><script>undefined_function()</script><p>x' >"$place/bad.html"
  sees "$place/bad.html" 800,600
  grep -q CONSOLE "$place/log"
}
if [ -n "$browser" ]; then
  claim "a browser shows the page without a complaint" sees "$done/report.html" 1100,3000
  claim "... also as wide as a phone" sees "$done/report.html" 390,2000
  claim "... and the comparison" sees "$place/compare.html" 1100,2000
  claim "... and would have complained" hears
else
  skip "no Chromium"
fi
if command -v gnuplot >/dev/null; then
  claim "a PDF of each figure, one column wide" sh -c "ls '$done'/*.svg | sed 's/svg\$/pdf/' | xargs grep -alE '/MediaBox \[ 0 0 234(\.|  *)' | wc -l | grep -qx $(ls "$done"/*.svg | wc -l)"
else
  skip "no gnuplot"
fi

# ---- readers
if [ -n "$h5py" ]; then
  reads() { "$h5py" jobs/read.py "$1" >"$place/log" 2>&1 && grep -q "$2" "$place/log"; }
  claim "jobs/read.py reads a run" reads "$done" 'm = 40, holds (proved)'
  claim "... its spectrum" grep -q '40 positive eigenvalues of the Hessian' "$place/log"
  claim "... and a refuted one" reads "$place/refuted" 'refuted (proved)'
else
  skip "no python3 with h5py"
fi
if command -v Rscript >/dev/null && Rscript -e 'library(hdf5r); library(jsonlite)' >/dev/null 2>&1; then
  r_reads() { Rscript jobs/read.R "$1" >"$place/log" 2>&1 && grep -q "$2" "$place/log"; }
  claim "jobs/read.R reads a run" r_reads "$done" 'm = 40, holds (proved)'
  claim "... its spectrum" grep -q '40 positive eigenvalues of the Hessian' "$place/log"
  claim "... and a refuted one" r_reads "$place/refuted" 'refuted (proved)'
else
  skip "no R with hdf5r and jsonlite"
fi

# ---- the manual
"$codim" --help >"$place/log"
manual() { # every command and every exit status of --help
  for word in $(sed -n 's/^  codim \([a-z]*\).*/\1/p' "$place/log"); do grep -q "^\.BI $word " src/codim.1 || return 1; done
  for number in 0 2 3 64 65 70 75; do grep -qx "\.B $number" src/codim.1 || return 1; done
}
claim "the man page has every command and exit status of --help" manual
listed() { run 1 run "$place/small.yaml" -help && ! grep -A1 '^  -[a-z_]*:* *<.*>: *(' "$place/log" | grep -q ': *$'; }
claim "-help says something of every option" listed
echo "1..$count"
