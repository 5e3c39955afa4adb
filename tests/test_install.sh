#!/bin/sh
# make install, use of the installed library through pkg-config, make uninstall; TAP
# From the environment: BUILD, MPIEXEC, and INDEX, DEBUG as make got them.
unset MAKEFLAGS MAKELEVEL MFLAGS
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
here=$(pwd)
count=0

# claim SENTENCE COMMAND…: one TAP line; the command's output is shown where it fails
claim() {
  sentence=$1
  shift
  count=$((count + 1))
  if "$@" >"$place/log" 2>&1; then echo "ok $count - $sentence"; else
    echo "not ok $count - $sentence"
    sed 's/^/# /' "$place/log"
  fi
}
run() { ${MPIEXEC:-mpiexec} -n "$1" "$place/example" -data_file tests/example/points.csv -net_widths 5,4; }
same() { # trace and loss on 1 and on 3 ranks: to the 9 digits compared, rounding is not seen
  run 1 >"$place/one" && run 3 >"$place/three" && cat "$place/one" "$place/three" &&
    awk '{ for (i = 2; i <= 8; i += 2) $i = sprintf("%.9g", $i); line[NR] = $1 $2 $3 $4 $5 $6 $7 $8 } END { exit !(NR == 2 && line[1] == line[2]) }' \
      "$place/one" "$place/three"
}
compile() {
  # shellcheck disable=SC2046
  ${CC:-mpicc} -std=gnu11 -Wall -Werror -O1 ${DEBUG:+-fsanitize=address,undefined} tests/example/tangent_kernel.c -o "$place/example" \
    $(pkg-config --cflags --libs codim)
}

claim "make install succeeds" make -s install PREFIX="$place/codim"
claim "make install DESTDIR=… makes the same tree below it" make -s install DESTDIR="$place/stage" PREFIX="$place/codim"
claim "both trees have the same files and contents" diff -r "$place/codim" "$place/stage$place/codim"
claim "every header of include/codim is installed" sh -c "cd $here/include/codim && for h in *.h; do cmp \$h $place/codim/include/codim/\$h || exit; done"
claim "the installed program knows its version" sh -c "'$place/codim/bin/codim' --version | grep $(sed -n 's/^VERSION = //p' Makefile)"
claim "the shipped job finds its data from share/codim" test -f "$place/codim/share/codim/$(sed -n 's/^ *file: //p' jobs/digits.yaml)"

PKG_CONFIG_PATH=$place/codim/lib/pkgconfig${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
claim "pkg-config finds codim" pkg-config --exists --print-errors codim
claim "a program compiles against the installed headers and library, without warnings" compile
claim "it runs on 1 rank, and tr K = |J|^2" run 1
claim "on 3 ranks it prints the same numbers" same

claim "make uninstall succeeds" make -s uninstall PREFIX="$place/codim"
claim "make uninstall leaves no file" sh -c "! find $place/codim -type f | grep ."
echo "1..$count"
