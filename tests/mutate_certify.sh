#!/bin/sh
# mutate_certify.sh: leave a term out of a bound of the certificate, one at a time; some test must then fail. TAP, as they end; some minutes.
# From the top of the repository: sh tests/mutate_certify.sh [WORD: only the mutations whose line has it]; JOBS at once (the number of cores)
#
# Not here, because other terms always hide them: roundings that the contracts of activation.h already allow for (the product with
# sigma', 2u of the subtraction of y), slack factors, TINY, chain lengths of K (bounds exceed what BLAS does by ten), the residual of an
# eigensolver that works.
set -u
place=$(mktemp -d) || exit 1
trap 'rm -rf "$place"' EXIT
mkdir -p "$place/0/jobs" && cp -r Makefile include src tests "$place/0" && cd "$place/0" || exit 1
jobs=${JOBS:-$(env -u OMP_NUM_THREADS nproc)}
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1

# The library is a shared one, so that a mutation costs one object and one link. The Makefile links with libcodim.a: a linker script here.
export LD_LIBRARY_PATH="build${LD_LIBRARY_PATH:+:$LD_LIBRARY_PATH}"
objects() { make -s CFLAGS='-O1 -fPIC' "$@" </dev/null >build.log 2>&1; }
link() { mpicc -shared -Wl,-soname,libcodim.so -o build/libcodim.so $(find build -name '*.o' ! -path 'build/tests/*' ! -name main.o) >>build.log 2>&1; }
programs='test_op_bounds test_certify_paths test_certify test_certify_bounds test_maps test_certify_norms test_certify_arb'
build() {
  objects build/libcodim.a && link && rm build/libcodim.a && echo 'INPUT(build/libcodim.so)' >build/libcodim.a &&
    for program in $programs; do objects -o build/libcodim.a "build/tests/$program" || return; done
}

# in order of what they cost. A bound that is too small may also make a test program end early
passes() {
  for program in $programs; do
    arguments=
    [ $program = test_certify_arb ] && arguments='-nets 50 -lists 50'
    # shellcheck disable=SC2086
    timeout 600 "build/tests/$program" $arguments </dev/null >run.log 2>&1 || return
  done
  timeout 600 ${MPIEXEC:-mpiexec} --oversubscribe -n 2 build/tests/test_certify_norms </dev/null >run.log 2>&1 || return
  timeout 600 build/tests/test_certify_arb -first 51 -nets 350 -lists 250 </dev/null >run.log 2>&1
}

build || { tail -5 build.log; echo 'Bail out! the unchanged program does not build'; exit 1; }
passes || { grep -v '^ok' run.log; echo 'Bail out! the unchanged program does not pass'; exit 1; }

mutate() { # file, text, replacement
  cp "src/$1" kept
  FROM=$2 TO=$3 perl -0pi -e 's/\Q$ENV{FROM}\E/$ENV{TO}/' "src/$1"
  if cmp -s kept "src/$1"; then
    verdict='not ok' remark='the text is not there'
  elif ! { objects "build/${1%.c}.o" && link; }; then
    verdict='not ok' remark='does not build'
  else
    passes
    case $? in
      0) verdict='not ok' remark='no test fails' ;;
      124) verdict='not ok' remark='out of time' ;;
      *) verdict=ok remark= ;;
    esac
  fi
  echo "$verdict $count - $1: $2 -> $3${remark:+ # $remark}"
  cp kept "src/$1"
}

# those whose number leaves the rest $1
share() {
  count=0
  while IFS='|' read -r file text replacement; do
    case $file in '' | '#'*) continue ;; esac
    count=$((count + 1))
    [ $((count % jobs)) = "$1" ] && mutate "$file" "$text" "$replacement" </dev/null
  done <"$place/mutations"
}

# file | text | replacement
grep -F -e "${1-}" >"$place/mutations" <<'END'
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
ops/activation.c|z->measure->largest + z->E;|z->measure->largest;
ops/activation.c|margin = args->out->measure->own - z->E|margin = args->out->measure->own
ops/activation.c|s.eps = ROUNDING * args->out->measure->norm|s.eps = 0
ops/activation.c|>= least)) {|>= least) && 0) {
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
certify_measure.c|measure.largest = PetscMax(measure.largest, PetscAbsReal(a[j]))|measure.largest = PetscAbsReal(a[j])
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
certify_enclose.c|(1 - SLACK) - b->needed - 4|(1 - SLACK) - 4
certify_enclose.c|b->needed      = Up(b->eigen_error + E_K)|b->needed      = b->eigen_error
certify_enclose.c|PetscSqrtReal(proved) * (1 - HAIR) - Up(E_J)|PetscSqrtReal(proved) * (1 - HAIR)
certify_enclose.c|PetscMin(norm, trace) + E_K)) + E_J)|PetscMin(norm, trace))))
certify.c|Up(2 * eta / (s * (1 + PetscSqrtReal(1 - 2 * h))))|Up(eta / s)
certify.c|s * PetscSqrtReal(1 - 2 * c->h) * (1 - SLACK)|s * (1 - SLACK)
certify.c|Up(2 * eta * c->lipschitz)|Up(eta * c->lipschitz)
certify.c|(2 * s * s - c->zero_bound)|(2 * s * s)
certify.c|(1 - 0x1p-50) - shift|(1 - 0x1p-50)
certify.c|hi = proof->singular.hi[k] + shift|hi = proof->singular.hi[k]
ops/map.c|size += op->norm * args->in[j]->measure->norm|size += 0
ops/map.c|out->e += op->norm * args->in[j]->e|out->e += 0
ops/map.c|Up(out->t[mu] + op->norm * args->in[j]->t[mu])|Up(op->norm * args->in[j]->t[mu])
ops/map.c|Up(out->t[mu] + op->norm * args->in[j]->t[mu])|Up(out->t[mu] + args->in[j]->t[mu])
ops/map.c|Up(out->e + out->eps)|Up(out->e)
ops/map.c|op->norm * args->out->F[o] +|0 +
ops/map.c|rounding * (bar + in->sum[o])|rounding * in->sum[o]
ops/map.c|rounding * (bar + in->sum[o])|rounding * bar
ops/map.c|Up(in->sum[o] + (1 + rounding) * bar)|Up((1 + rounding) * bar)
ops/gather.c|PetscSqrtReal((PetscReal)most)|1
ops/affine.c|Up(args->out->eps + ROUNDING * args->out->measure->norm)|Up(args->out->eps)
ops/affine.c|PetscMax(norm, PetscAbsReal(affine->coefficients[i]))|1
ops/mean.c|1 / PetscSqrtReal((PetscReal)count)|1 / (PetscReal)count
ops/add.c|PetscSqrtReal((PetscReal)a / (PetscReal)b)|1
ops/multiply.c|Up(ROUNDING * out->measure->norm)|0
ops/multiply.c|a->e * b->measure->largest +|0 +
ops/multiply.c|CopiesNorm(args, a->e) * b->e +|0 +
ops/multiply.c|CopiesNorm(args, a->e) * b->e +|CopiesNorm(args, 0) * b->e +
ops/multiply.c|a->t[mu] * (b->measure->largest + b->E) +|0 +
ops/multiply.c|a->t[mu] * (b->measure->largest + b->E) +|a->t[mu] * b->measure->largest +
ops/multiply.c|CopiesNorm(args, a->E) * b->t[mu]|CopiesNorm(args, 0) * b->t[mu]
ops/multiply.c|out->F[o] * (b->measure->largest + b->E) +|0 +
ops/multiply.c|out->F[o] * (b->measure->largest + b->E) +|out->F[o] * b->measure->largest +
ops/multiply.c|out->bar[o] * b->E +|0 +
ops/multiply.c|Gamma(2) * (bar_a + a->sum[o])|Gamma(2) * a->sum[o]
ops/multiply.c|Gamma(2) * (bar_a + a->sum[o])|Gamma(2) * bar_a
ops/multiply.c|Up(a->sum[o] + (1 + Gamma(2)) * bar_a)|Up(a->sum[o])
ops/multiply.c|out->F[o] * CopiesNorm(args, a->E) +|out->F[o] * CopiesNorm(args, 0) +
ops/multiply.c|out->bar[o] * a->E +|0 +
ops/multiply.c|Up(b->sum[o] + (1 + rounding) * bar_b)|Up(b->sum[o])
ops/multiply.c|Repeated(args) * (args->out->measure->column|(args->out->measure->column
ops/multiply.c|args->out->measure->column + OutputNorm(args->l, args->out->F)|args->out->measure->column
ops/multiply.c|args->out->measure->column + OutputNorm(args->l, args->out->F)|OutputNorm(args->l, args->out->F)
ops/multiply.c|(a[mu] * b[nu] + a[nu] * b[mu])|(a[mu] * b[nu])
ops/parameter.c|args->out->t[args->op->bias] + 1|args->out->t[args->op->bias]
ops/matmul.c|PetscSqrtReal((PetscReal)entries) * x->measure->largest|x->measure->largest
ops/matmul.c|Up(Gamma((PetscReal)p->inner + 3) * s * size)|0
ops/matmul.c|s * (A->e * NB + (NA + A->e) * B->e) + out->eps|s * (A->e * NB + (NA + A->e) * B->e)
ops/matmul.c|(A->e * NB + (NA + A->e) * B->e)|((NA + A->e) * B->e)
ops/matmul.c|(A->e * NB + (NA + A->e) * B->e)|(A->e * NB + A->e * B->e)
ops/matmul.c|(A->e * NB + (NA + A->e) * B->e)|(A->e * NB + NA * B->e)
ops/matmul.c|A->t[mu] * (NB + B->E) +|A->t[mu] * NB +
ops/matmul.c|A->t[mu] * (NB + B->E) +|A->t[mu] * B->E +
ops/matmul.c|(NA + A->E) * B->t[mu]|NA * B->t[mu]
ops/matmul.c|(NA + A->E) * B->t[mu]|A->E * B->t[mu]
ops/matmul.c|s * args->out->F[o] * (N + other->E) +|s * args->out->F[o] * N +
ops/matmul.c|s * args->out->F[o] * (N + other->E) +|s * args->out->F[o] * other->E +
ops/matmul.c|bar * other->E +|0 +
ops/matmul.c|rounding * (bar * N + in->sum[o])|rounding * in->sum[o]
ops/matmul.c|rounding * (bar * N + in->sum[o])|rounding * bar * N
ops/matmul.c|Up(in->sum[o] + (1 + rounding) * bar * N)|Up(in->sum[o])
ops/matmul.c|PullBound(args, B, A, NA, p->rows);|
ops/matmul.c|block) + OutputNorm(args->l, args->out->F)|block)
ops/matmul.c|PetscMin(OutputNorm(args->l, args->out->bar), block) +|0 +
ops/matmul.c|(PetscReal)p->rows * (PetscReal)p->cols) * args->out->measure->column|1) * args->out->measure->column
ops/matmul.c|(a[mu] * b[nu] + a[nu] * b[mu])|(a[nu] * b[mu])
ops/softmax.c|largest = y->measure->largest + y->eps + .5 * x->E|largest = y->measure->largest + y->eps
ops/softmax.c|largest = y->measure->largest + y->eps + .5 * x->E|largest = .5 * x->E
ops/softmax.c|PETSC_SQRT2 * s.S1 * (1 + SLACK)|0
ops/softmax.c|+ 2 * Gamma(w + 6) *|+ 0 *
ops/softmax.c|Gamma(2 * w + 12) * y->measure->norm +|0 +
ops/softmax.c|+ .38 * ROUNDING * PetscSqrtReal((PetscReal)y->dim)|
ops/softmax.c|Up(S1 * x->e + y->eps)|Up(S1 * x->e)
ops/softmax.c|Up(S1 * x->e + y->eps)|Up(y->eps)
ops/softmax.c|Up(S1 * x->t[mu])|0
ops/softmax.c|s.S1 * y->F[o] +|0 +
ops/softmax.c|(s.S2 * x->E + s.rounding) * y->bar[o]|s.rounding * y->bar[o]
ops/softmax.c|(s.S2 * x->E + s.rounding) * y->bar[o]|s.S2 * x->E * y->bar[o]
ops/softmax.c|Gamma(2) * (x->sum[o] +|Gamma(2) * (0 +
ops/softmax.c|Up(x->sum[o] + (s.S1 + s.rounding) * y->bar[o])|Up(x->sum[o])
ops/softmax.c|PETSC_SQRT2 * OutputNorm(args->l, args->out->F) * (1 + SLACK);|0;
ops/softmax.c|weight = s.S1 * range|weight = .1 * range
ops/layernorm.c|- Gamma(w + 3) * size / PetscSqrtReal(w) - 1e-150|- 1e-150
ops/layernorm.c|at - x->E / root * (1 + SLACK)|at
ops/layernorm.c|PetscMax(below, LeastDivisor(norm))|below
ops/layernorm.c|Up(1.1548 / (root * d.s * d.s))|Up(1 / (root * d.s * d.s))
ops/layernorm.c|Gamma(w + 4) * size / at +|0 +
ops/layernorm.c|2 * Gamma(w + 3) * x->measure->norm +|0 +
ops/layernorm.c|Gamma(w + 8) * PetscSqrtReal((PetscReal)y->dim)|0
ops/layernorm.c|Up(x->e / s + y->eps)|Up(x->e / s)
ops/layernorm.c|Up(x->e / s + y->eps)|Up(y->eps)
ops/layernorm.c|Up(x->t[mu] / s)|0
ops/layernorm.c|y->F[o] / d.s +|0 +
ops/layernorm.c|(d.S2 * x->E + d.rounding) * bar|d.rounding * bar
ops/layernorm.c|(d.S2 * x->E + d.rounding) * bar|d.S2 * x->E * bar
ops/layernorm.c|Gamma(2) * (x->sum[o] + size)|0
ops/layernorm.c|Up(x->sum[o] + size)|Up(x->sum[o])
ops/layernorm.c|d.S2 * (lambda + OutputNorm(args->l, args->out->F))|d.S2 * lambda
ops/layernorm.c|d.S2 * (lambda + OutputNorm(args->l, args->out->F))|d.S2 * OutputNorm(args->l, args->out->F)
ops/embedding.c|uses += x[s] == x[t]|uses = 1
ops/embedding.c|args->in[0]->E < .5 ? Up(norm * table->e)|1 ? Up(norm * table->e)
ops/embedding.c|Up(norm * table->e)|0
ops/embedding.c|Up(norm * table->t[mu])|0
ops/embedding.c|norm * out->F[o] +|0 +
ops/embedding.c|rounding * (norm * out->bar[o] + table->sum[o])|rounding * table->sum[o]
ops/embedding.c|rounding * (norm * out->bar[o] + table->sum[o])|rounding * norm * out->bar[o]
ops/embedding.c|Up(table->sum[o] + (1 + rounding) * norm * out->bar[o])|Up(table->sum[o])
ops/max.c|in[top] - in[entry[k]] >= least|1
ops/max.c|args->out->measure->own - PETSC_SQRT2 * (1 + SLACK) * args->in[0]->E|args->out->measure->own - args->in[0]->E
ops/max.c|Up(x->e)|0
ops/max.c|Up(x->t[mu])|0
ops/max.c|out->F[o] + Gamma(1)|Gamma(1)
ops/max.c|Gamma(1) * (out->bar[o] + x->sum[o]) +|0 +
ops/max.c|MarginOf(args) > 0|1
ops/max.c|Up(x->sum[o] + (1 + Gamma(1)) * out->bar[o])|Up(x->sum[o])
residual.c|(input > 0 && keep == ADJOINT_FIXED_TOO)|0
certify_recursion.c|!args->op->moves && args->out->eps == 0|!args->op->moves
certify_pivots.c|if (!(p->chosen[row] && p->chosen[col]))|if (0)
certify.c|if (Up(r * Lambda) <= s) {|if (Up(r * Lambda) <= 2 * s) {
certify.c|if (!(eta == 0)) {|if (eta > 1) {
certify_norms.c|PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, &sum, 1, MPIU_REAL, MPI_SUM, grid->group));|
certify_paths.c|squares += x[i] * x[i]|squares = x[i] * x[i]
certify_paths.c|sum += delta * N;|sum += 0;
certify_paths.c|N = x == u ? 1 : point->value[x].t[point->P + u]|N = x == u
certify_paths.c|N = x == u ? 1 : point->value[x].t[point->P + u]|N = x == u ? 0 : point->value[x].t[point->P + u]
certify_paths.c|Up(paths[(size_t)u * points] + Propagated(&local, u, 0))|Up(paths[(size_t)u * points])
certify_paths.c|Up(paths[(size_t)u * points] + Propagated(&local, u, 0))|Propagated(&local, u, 0)
certify_paths.c|e = value->eps;|e = 0;
certify_paths.c|e += N[u] * point->value[u].eps|e += 0
certify_paths.c|t += N[z] * OwnDerivative|t = N[z] * OwnDerivative
certify_paths.c|point->value[op->inputs[0]].measure->norm + point->value[op->inputs[0]].E|point->value[op->inputs[0]].measure->norm
certify_paths.c|point->value[op->inputs[0]].measure->norm + point->value[op->inputs[0]].E|point->value[op->inputs[0]].E
certify_paths.c|own += PetscSqrtReal((PetscReal)op->places)|own += 1
certify_paths.c|own += PetscSqrtReal((PetscReal)op->places)|own += 0
certify_paths.c|Lower(&point->value[u].F[o], Propagated(&local, u, o))|point->value[u].F[o] = 0
END
job=1
while [ "$job" -lt "$jobs" ]; do
  cp -rp "$place/0" "$place/$job"
  job=$((job + 1))
done
job=0
while [ "$job" -lt "$jobs" ]; do
  (cd "$place/$job" && share "$job") &
  job=$((job + 1))
done | tee "$place/verdicts"
count=$(wc -l <"$place/mutations")
echo "1..$count"
[ "$(grep -c '^ok' "$place/verdicts")" = "$count" ]
