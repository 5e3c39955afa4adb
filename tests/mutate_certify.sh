#!/bin/sh
# mutate_certify.sh: leave a term out of a bound of the certificate, one at a time; some test must then fail. TAP; about eight minutes.
# From the top of the repository: sh tests/mutate_certify.sh [WORD: only the mutations whose line has it]
#
# Not here, because other terms always hide them: roundings that the contracts of activation.h already allow for (the product with
# sigma', 2u of the subtraction of y), slack factors, TINY, chain lengths of K (bounds exceed what BLAS does by ten), the residual of an
# eigensolver that works.
set -u
tree=$(mktemp -d) || exit 1
trap 'rm -rf "$tree"' EXIT
cp -r Makefile include src tests "$tree" && cd "$tree" || exit 1
mkdir -p jobs
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1
programs="build/tests/test_certify_bounds build/tests/test_certify_arb"

build() { make -s CFLAGS='-O1' $programs >build.log 2>&1; }
passes() { # a bound that is too small may also make a test program end early
  timeout 300 build/tests/test_certify_bounds >run.log 2>&1 && timeout 300 build/tests/test_certify_arb -nets 400 >run.log 2>&1
}

build || { tail -5 build.log; echo 'Bail out! the unchanged program does not build'; exit 1; }
passes || { grep -v '^ok' run.log; echo 'Bail out! the unchanged program does not pass'; exit 1; }

count=0 failed=0
mutate() { # file, text, replacement
  count=$((count + 1))
  cp "src/$1" kept
  FROM=$2 TO=$3 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/' "src/$1"
  if cmp -s kept "src/$1"; then
    verdict='not ok' remark='the text is not there'
  elif ! build; then
    verdict='not ok' remark='does not build'
  elif passes; then
    verdict='not ok' remark='no test fails'
  else
    verdict=ok remark=
  fi
  [ "$verdict" = ok ] || failed=$((failed + 1))
  echo "$verdict $count - $1: $2 -> $3${remark:+ # $remark}"
  cp kept "src/$1"
}

# file | text | replacement
while IFS='|' read -r file text replacement; do
  case $file in '' | '#'*) continue ;; esac
  case "$file|$text|$replacement" in *${1-}*) mutate "$file" "$text" "$replacement" </dev/null ;; esac
done <<'END'
ops/linear.c|(W->frobenius * a->measure->norm + PetscSqrtReal(T) * b)|(PetscSqrtReal(T) * b)
ops/linear.c|(W->frobenius * a->measure->norm + PetscSqrtReal(T) * b)|(W->frobenius * a->measure->norm)
ops/linear.c|PetscSqrtReal(T) * b)|b)
ops/linear.c|Up(W->spectral * a->e + out->eps)|Up(W->spectral * a->e)
ops/linear.c|Up(W->spectral * a->e + out->eps)|Up(out->eps)
ops/linear.c|Up((W->spectral + args->r) * a->t[mu])|Up(W->spectral * a->t[mu])
ops/linear.c|a->measure->norm + a->E); /*|a->measure->norm); /*
ops/linear.c|a->measure->norm + a->E); /*|a->E); /*
ops/linear.c|Up(out->t[op->bias] + PetscSqrtReal(T))|Up(out->t[op->bias])
ops/linear.c|Up(out->t[op->bias] + PetscSqrtReal(T))|Up(out->t[op->bias] + 1)
ops/linear.c|(W->spectral + args->r) * out->F[o]|W->spectral * out->F[o]
ops/linear.c|(W->spectral + args->r) * out->F[o] +|0 +
ops/linear.c|(args->r + rounding * W->frobenius) * out->bar[o]|(rounding * W->frobenius) * out->bar[o]
ops/linear.c|(args->r + rounding * W->frobenius) * out->bar[o]|args->r * out->bar[o]
ops/linear.c|rounding * a->sum[o]|0 * a->sum[o]
ops/linear.c|Up(a->sum[o] + (W->spectral|Up(0 * a->sum[o] + (W->spectral
ops/linear.c|OutputNorm(args->l, args->out->bar) + OutputNorm(args->l, args->out->F)|OutputNorm(args->l, args->out->bar)
ops/linear.c|OutputNorm(args->l, args->out->bar) + OutputNorm(args->l, args->out->F)|OutputNorm(args->l, args->out->F)
ops/linear.c|(mu == W ? 2 : 1)|1
ops/linear.c|ROUNDING * (z + NormUp(|ROUNDING * (NormUp(
ops/linear.c|ROUNDING * (z + NormUp((PetscReal)terms, sums[i]))|ROUNDING * z
ops/linear.c|(W_lo * a_hi + W_all * a_lo)|(W_all * a_lo)
ops/linear.c|(W_lo * a_hi + W_all * a_lo)|(W_lo * a_hi)
ops/linear.c|(53 - logk) / 2|(57 - logk) / 2
ops/activation.c|z->measure->largest + z->E, margin|z->measure->largest, margin
ops/activation.c|margin = z->measure->least - z->E|margin = z->measure->least
ops/activation.c|Up(2 * Z)|Up(Z)
ops/activation.c|s.S2 = Up(6 * Z)|s.S2 = Up(3 * Z)
ops/activation.c|2 * ROUNDING * args->out->measure->norm|0
ops/activation.c|4 * ROUNDING * s.S1|0
ops/activation.c|(PetscSqrtReal((PetscReal)z->dim) + z->measure->norm)|(z->measure->norm)
ops/activation.c|(PetscSqrtReal((PetscReal)z->dim) + z->measure->norm)|PetscSqrtReal((PetscReal)z->dim)
ops/activation.c|8 * ROUNDING * (1 + z->measure->largest)|8 * ROUNDING
ops/activation.c|Up(s.S1 * z->e + out->eps)|Up(s.S1 * z->e)
ops/activation.c|Up(s.S1 * z->e + out->eps)|Up(out->eps)
ops/activation.c|Up(s.S1 * z->t[mu])|Up(z->t[mu])
ops/activation.c|s.S2 * z->E + s.eps_ds|s.eps_ds
ops/activation.c|s.S2 * z->E + s.eps_ds +|s.S2 * z->E +
ops/activation.c|+ ROUNDING * (s.S1 + s.eps_ds)|
ops/activation.c|s.S1 * out->F[o] +|0 +
ops/activation.c|Gamma(2) * z->sum[o]|0 * z->sum[o]
ops/activation.c|Up(z->sum[o] + bar|Up(0 * z->sum[o] + bar
ops/activation.c|(args->out->measure->column + OutputNorm(args->l, args->out->F))|(args->out->measure->column)
ops/activation.c|(args->out->measure->column + OutputNorm(args->l, args->out->F))|OutputNorm(args->l, args->out->F)
certify_recursion.c|Up(value->e + r * OutputNorm(point->P, value->t))|Up(value->e)
certify_recursion.c|Up(value->e + r * OutputNorm(point->P, value->t))|Up(r * OutputNorm(point->P, value->t))
certify_recursion.c|(point->value[v].bar[o] + point->value[v].F[o]) * point->value[v].eps|point->value[v].bar[o] * point->value[v].eps
certify_recursion.c|(point->value[v].bar[o] + point->value[v].F[o]) * point->value[v].eps|point->value[v].F[o] * point->value[v].eps
certify_recursion.c|z->F[o] * a->measure->norm +|0 +
certify_recursion.c|(z->bar[o] + z->F[o]) * a->e|z->F[o] * a->e
certify_recursion.c|(z->bar[o] + z->F[o]) * a->e|z->bar[o] * a->e
certify_recursion.c|Up(error[op->bias] + sqrtT * z->F[o])|Up(error[op->bias])
certify_recursion.c|Up(q[op->weight] + z->bar[o] * a->measure->norm)|0
certify_recursion.c|Up(q[op->bias] + sqrtT * z->bar[o])|0
certify_recursion.c|(PetscAbsReal(H) + error) * (PetscAbsReal(H) + error)|error * error
certify_recursion.c|(PetscAbsReal(H) + error) * (PetscAbsReal(H) + error)|H * H
certify_recursion.c|(1 - SLACK) - NormUp(terms, sums[SUM_ERROR])|(1 - SLACK)
certify_recursion.c|squares[k] += B[k] * B[k]|squares[k] = B[k] * B[k]
certify_recursion.c|ratio   = PetscMax(ratio, y[mu] / x[mu])|ratio   = y[mu] / x[mu]
certify_measure.c|sum[lane] += x[j + lane] * x[j + lane]|sum[lane] = x[j + lane] * x[j + lane]
certify_measure.c|measure.column = PetscMax(measure.column, squares)|measure.column = squares
certify_measure.c|measure.largest = PetscMax(measure.largest, x)|measure.largest = x
certify_measure.c|measure.least   = PetscMin(measure.least, x)|measure.least   = PetscMax(0, x)
certify_norms.c|if (!ended) continue;|
certify_norms.c|sum += mine;|sum = mine;
certify_enclose.c|(1 - b->orthogonality - HAIR) - error|(1 - b->orthogonality - HAIR)
certify_enclose.c|(1 + b->orthogonality + HAIR) + Up(error)|(1 + b->orthogonality + HAIR)
certify_enclose.c|PetscSqrtReal(lo) * (1 - HAIR) - E_J|PetscSqrtReal(lo) * (1 - HAIR)
certify_enclose.c|Up(PetscSqrtReal(hi) + E_J)|Up(PetscSqrtReal(hi))
certify_enclose.c|error = Up(b->eigen_error + E_K)|error = Up(b->eigen_error)
certify_enclose.c|error = Up(b->eigen_error + E_K)|error = Up(E_K)
certify_enclose.c|+ Gamma(m + 6) * weighted|
certify_enclose.c|+ Gamma(m + 2) * trace|
certify_enclose.c|(1 - SLACK) - bounds->needed|(1 - SLACK)
certify_enclose.c|bounds->needed      = Up(c + E_K)|bounds->needed      = c
certify_enclose.c|PetscSqrtReal(proved) * (1 - HAIR) - Up(E_J)|PetscSqrtReal(proved) * (1 - HAIR)
certify_enclose.c|PetscMin(norm, trace) + E_K)) + E_J)|PetscMin(norm, trace))))
certify.c|Up(2 * eta / (s * (1 + PetscSqrtReal(1 - 2 * h))))|Up(eta / s)
certify.c|s * PetscSqrtReal(1 - 2 * c->h) * (1 - SLACK)|s * (1 - SLACK)
certify.c|(1 - 0x1p-50) - shift|(1 - 0x1p-50)
certify.c|hi = proof->singular.hi[k] + shift|hi = proof->singular.hi[k]
END
echo "1..$count"
[ "$failed" = 0 ]
