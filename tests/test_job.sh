#!/bin/sh
# seconds: 600
# whole jobs: verdicts and exit statuses, bad job files, data and weights, load and resume; TAP
# From the environment: BUILD, MPIEXEC.
. tests/tap.sh
reference=tests/reference

job small <<'E2'
data: {file: jobs/data/digits.csv, points: 30, scale: standard, target_scale: unit}
net: {widths: [20, 10], activation: tanh}
E2
job linear <<E2
data: {file: $reference/linear-rank-deficient/data.h5}
net: {widths: [$(sed -n '/"widths"/,/]/p' $reference/linear-rank-deficient/case.json | tr -dc '0-9,')], activation: identity, bias: false}
reach: {method: load, weights: $reference/linear-rank-deficient/weights.safetensors}
E2
job quadratic <<E2
data: {file: $reference/quadratic-rank-deficient/data.h5}
net: {widths: [$(sed -n '/"widths"/,/]/p' $reference/quadratic-rank-deficient/case.json | tr -dc '0-9,')], activation: square, bias: false}
reach: {method: load, weights: $reference/quadratic-rank-deficient/weights.safetensors}
E2
printf 'a,b,y\n1,2,3\n4,5,6\n1,2,4\n' >"$place/contradiction.csv"
printf 'a,b,y\n1,2,3\n4,5,6\n1,2,3\n' >"$place/twins.csv"
printf 'a,b,y\n1,2,3\n4,nan,6\n' >"$place/nan.csv"
printf 'a,b,y\n1,2,3\n4,5,6\n-1,-2,-3\n' >"$place/opposite.csv"
printf 'a,b,y\n1,2,3\n4,5,6\n-1,-2,3\n' >"$place/even.csv"
for name in contradiction twins nan opposite even; do
  job $name <<E2
data: {file: $place/$name.csv, outputs: 1}
net: {widths: [8]}
E2
done

# ---- verdicts
for ranks in 1 2 3 4 6; do claim "digits, 30 points, $ranks ranks: holds, exit 0" ends 0 $ranks out "$place/small.yaml"; done
for grid in 4,1 2,2 1,4; do claim "4 ranks as $grid: holds, exit 0" ends 0 4 out "$place/small.yaml" -grid $grid; done
claim "the report says out rank 30" says out rank 30
claim "the report says holds" says out holds true
claim "the report says out the basis" grep -Eq '"basis": "(numerical|proved)"' "$place/out/report.json"
claim "no eigenvalue is negative" says out negative 0
claim "the summary fits a terminal of 24 lines" test "$(grep -cE '^(tanh |  )' "$place/log")" -le 20
for file in report.json spectrum.h5 spectrum.svg weights.safetensors problem.h5; do
  claim "$file is there" test -s "$place/out/$file"
done
cp "$place/out/weights.safetensors" "$place/weights.safetensors"
claim "a deep linear net, 3 ranks: refuted, exit 2" ends 2 3 out "$place/linear.yaml"
claim "... with its rank" says out rank "$(sed -n 's/.*"rank_jacobian": \([0-9]*\).*/\1/p' $reference/linear-rank-deficient/case.json)"
claim "... by proof" says out basis '"proved"'
claim "... whose bound is that rank" says out rank_bound "$(sed -n 's/.*"rank_jacobian": \([0-9]*\).*/\1/p' $reference/linear-rank-deficient/case.json)"
claim "a quadratic net, 2 ranks: refuted, exit 2" ends 2 2 out "$place/quadratic.yaml"
claim "... with its rank" says out rank "$(sed -n 's/.*"rank_jacobian": \([0-9]*\).*/\1/p' $reference/quadratic-rank-deficient/case.json)"
claim "... by proof" says out basis '"proved"'
claim "... whose bound is that rank" says out rank_bound "$(sed -n 's/.*"rank_jacobian": \([0-9]*\).*/\1/p' $reference/quadratic-rank-deficient/case.json)"
claim "... with what the net gives as targets M has points" ends 2 3 out "$place/quadratic.yaml" -data_target net -net_outputs 1
claim "... and the same bound" grep -q '"reason": ".*rank J <= 18 < m = 25 for every theta"' "$place/out/report.json"
claim "contradictory targets: refuted before any training" ends 2 3 out "$place/contradiction.yaml"
claim "... naming the two rows" grep -q 'points 1 and 3' "$place/out/report.json"
claim "coinciding points: refuted" ends 2 3 out "$place/twins.yaml"
claim "... naming them" grep -q 'points 1 and 3 coincide' "$place/out/report.json"
claim "opposite points, odd net without bias: refuted" ends 2 3 out "$place/opposite.yaml" -net_bias false
claim "... naming them" grep -q 'points 1 and 3 have x and -x' "$place/out/report.json"
claim "... with bias it holds" ends 0 2 out "$place/opposite.yaml"
claim "opposite points, targets not opposite: refuted before any training" ends 2 2 out "$place/even.yaml" -net_bias false
claim "... M is empty" grep -q 'M is empty' "$place/out/report.json"
claim "a quadratic net on these: refuted by what it can form" ends 2 3 out "$place/even.yaml" -net_bias false -net_activation square
claim "... by proof" says out basis '"proved"'
claim "no zero within the steps: undecided, exit 3" ends 3 2 out "$place/small.yaml" -reach_steps 1
claim "the whole Hessian agrees: every eigenvalue counted" ends 0 3 out "$place/small.yaml" -net_widths 6 -hessian_full
claim "... 30 positive" grep -q '"positive": 30' "$place/out/report.json"
claim "... and none negative" test "$(grep -c '"negative": 0' "$place/out/report.json")" = 2

claim "the density, few steps on 2 ranks: asked for, it is there" ends 0 2 out "$place/small.yaml" -hessian_density 15 -hessian_density_probes 3
claim "... in the report" says out probes 3
claim "... in the summary, with its bias" grep -q 'the same steps on the known spectrum' "$place/log"
claim "... as a picture and a table" sh -c "grep -q '</svg>' $place/out/density.svg && grep -q '^t,above' $place/out/density.csv"

# ---- where K cannot resolve
claim "kappa(J) = 1.8e9: the streamed QR is taken by itself and finds rank m" ends 0 3 out jobs/ill-conditioned.yaml
claim "... says out the report" says out method '"qr"'
claim "... rank 12" says out rank 12
claim "K alone leaves it undecided" ends 3 2 out jobs/ill-conditioned.yaml -spectrum_method gram

# ---- only the count
claim "count: holds by one Cholesky factorization, 3 ranks" ends 0 3 out "$place/small.yaml" -spectrum_method count
claim "... rank 30" says out rank 30
claim "... by proof" says out basis '"proved"'
claim "... no sigma" says out sigma_min null
claim "... nor an eigenvalue" says out smallest_positive null
claim "... no picture of them" test ! -e "$place/out/spectrum.svg"
claim "without a certificate the factorization alone decides" ends 0 2 out "$place/small.yaml" -spectrum_method count -certify false
claim "an eigenvalue of K too small for it leaves it undecided" ends 3 2 out jobs/ill-conditioned.yaml -spectrum_method count
claim "... and no rank is said" says out rank null
claim "weights: false" ends 0 2 out "$place/small.yaml" -weights false
claim "... leaves them out" test ! -e "$place/out/weights.safetensors"
claim "... and the certificate says so" grep -q '"weights_file": null' "$place/out/certificate.json"
unkept() {
  timeout -k 5 60 ${MPIEXEC:-mpiexec} -n 2 "$codim" check "$place/out" >"$place/log" 2>&1
  [ $? = 65 ] && grep -q '^codim: .*were not kept (weights: false)' "$place/log"
}
claim "... which cannot be checked then" unkept
claim "targets that are what the random net gives: on M from the start" ends 0 3 out "$place/small.yaml" -data_target net -net_outputs 2 -data_target_scale none -spectrum_method count
claim "... in no step" says out iterations 0
claim "... the loss is 0" says out loss 0.0
claim "... by proof at the weights themselves" grep -q '"radius": 0.0' "$place/out/report.json"

# ---- the certificate
claim "proved at the stored weights" ends 0 2 out "$place/small.yaml"
claim "... says out the report" says out basis '"proved"'
claim "... and is proved again on 3 ranks" checks 3 out
spoiled() {
  cp "$place/weights.safetensors" "$place/out/weights.safetensors" && printf x >>"$place/out/problem.h5"
  run 3 check "$place/out"
  [ "$status" = 65 ] && ! grep -q 'PETSC ERROR' "$place/log"
}
claim "other files than the certificate's are refused" spoiled
run 2 check "$place/nowhere"
claim "no directory to check" test "$status" = 65
claim "certify: false leaves numbers" ends 0 2 out "$place/small.yaml" -certify false
claim "... and says so" says out basis '"numerical"'

# ---- explicit weights
claim "Lemma 3.3 in its own family, 3 ranks: holds, exit 0" ends 0 3 out jobs/lemma-3.3.yaml
claim "... n = 2 d + p" says out parameters 264
claim "... proved" says out basis '"proved"'
claim "... from constructed weights" says out method '"construct"'
claim "Corollary 3.4, three hidden layers, 4 ranks" ends 0 4 out jobs/corollary-3.4.yaml -grid 2,2
claim "... proved" says out basis '"proved"'
claim "Corollary 3.4 as printed: no zero, exit 3" ends 3 2 out jobs/erratum-corollary-3.4.yaml
claim "sigma that is not rectified" refused 64 'smoolu, rtanh, rsigmoid, srelu or relu' jobs/corollary-3.4.yaml -net_activation tanh
claim "a last hidden layer that is too narrow" refused 64 'has 149 units for d = 150 points' jobs/corollary-3.4.yaml -net_widths 200,149
claim "no bias" refused 64 'net.bias' jobs/corollary-3.4.yaml -net_bias false
claim "another kind of net" refused 64 'dense layer' jobs/cnn.yaml -reach_method construct -net_activation smoolu
claim "coinciding points are the answer: refuted" ends 2 3 out "$place/twins.yaml" -net_activation smoolu -reach_method construct
claim "... naming them" grep -q 'distinct points; 1 and 3 have the same x' "$place/log"

# ---- a change of the targets
claim "a singular zero: the targets are moved to a regular one, 3 ranks" ends 0 3 out jobs/theorem-2.1-perturbed.yaml
claim "... says out the verdict" says out targets_moved true
claim "... proved" says out basis '"proved"'
claim "... of the targets as they are stored" says out targets '"stored"'
claim "... where rank J was 21" grep -q '"rank": 21' "$place/out/report.json"
claim "... with every size from 1e-2 to 1e-10 tried in four directions, and proved in one at least" test "$(awk '
  /"trials": / { on = 1 } /"after": / { on = 0 } on && /"size": / { tried++; size = sprintf("%.0e", $2) } on && /"proved": true/ && !seen[size]++ { sizes++ }
  END { print tried, sizes }' "$place/out/report.json")" = "36 9"
claim "... in perturbation.h5" test -s "$place/out/perturbation.h5"
claim "... and is proved again from the files" checks 2 out
claim "without perturb.size it is refuted" ends 2 2 out jobs/theorem-2.1-perturbed.yaml -perturb_size 0
claim "rank J < m for every theta: no change helps" ends 2 2 out jobs/no-linear.yaml -perturb_size 1e-3
claim "... and it says why" grep -q 'H(R^n) has measure zero' "$place/log"
claim "where rank J = m nothing is moved" ends 0 2 out "$place/small.yaml" -perturb_size 1e-3
claim "... says out the report" says out targets_moved false
claim "perturb without certify" refused 64 'certify: true' "$place/small.yaml" -perturb_size 1e-3 -certify false

# ---- weights
claim "loaded weights: the same verdict, no step" ends 0 3 out "$place/small.yaml" -reach_method load -reach_weights "$place/weights.safetensors"
claim "... in no step" says out iterations 0
claim "... and the loaded weights are certified as they are" grep -q '"distance_lower"' "$place/out/report.json"
refuse_weights() { refused 65 "$1" "$place/small.yaml" -reach_method load -reach_weights "$2"; }
claim "weights of another net" refuse_weights 'layers' $reference/mlp-tanh/weights.safetensors
head -c 1000 "$place/weights.safetensors" >"$place/cut.safetensors"
claim "truncated weights" refuse_weights 'cut.safetensors' "$place/cut.safetensors"
claim "missing weights" refuse_weights 'nowhere' "$place/nowhere.safetensors"
claim "load without a file" refused 64 'reach.weights' "$place/small.yaml" -reach_method load

# ---- job files, options, data: exit 64 or 65, one message, all ranks end
job unknown <<'E2'
data: {file: jobs/data/digits.csv}
net: {widhts: [20]}
E2
job type <<'E2'
data: {file: jobs/data/digits.csv}
net: {widths: [20], gain: much}
E2
job malformed <<'E2'
data: {file: jobs/data/digits.csv
net: [
E2
lone() { # as srun starts it where MPI does not know its PMI
  SLURM_STEP_NUM_TASKS=3 timeout 60 "$codim" run "$place/small.yaml" -output "$place/lone" >"$place/log" 2>&1
  [ $? = 64 ] && grep -q 'srun started 3 tasks, but MPI makes a world of its own of each' "$place/log" && [ ! -e "$place/lone" ]
}
claim "a task of srun's that is alone in its world" lone
claim "no job file" refused 64 'nowhere' "$place/nowhere.yaml"
claim "an unknown key, with the nearest" refused 64 'widths' "$place/unknown.yaml"
claim "a wrong type" refused 64 'gain' "$place/type.yaml"
claim "no YAML" refused 64 'line' "$place/malformed.yaml"
claim "an unknown option" refused 64 'net_widht' "$place/small.yaml" -net_widht 3
claim "a misspelt solver option" refused 64 'largest_eps_nevv' "$place/small.yaml" -largest_eps_nevv 3
claim "an unknown activation" refused 64 'tanhh' "$place/small.yaml" -net_activation tanhh
claim "a grid of another size" refused 64 'grid' "$place/small.yaml" -grid 2,2
claim "missing data" refused 65 'nowhere' "$place/small.yaml" -data_file "$place/nowhere.csv"
claim "NaN, with its row and column" refused 65 'row 2' "$place/nan.yaml"
claim "more points than there are" refused 65 '1797' "$place/small.yaml" -data_points 2000
claim "more residuals than parameters" refused 65 'n > m' "$place/small.yaml" -data_points 1700 -net_widths 2
mkdir "$place/plain" && : >"$place/plain/file"
run 3 run "$place/small.yaml" -output "$place/plain/file/out"
claim "an output directory that cannot be made" test "$status" = 65

# ---- stop and go on
job long <<'E2'
data: {file: jobs/data/digits.csv, scale: standard, target_scale: unit}
net: {widths: [2048, 2048], activation: tanh}
hessian: {extreme: 0, zeros: 0}
E2
refuse_checkpoint() {
  run 3 run "$place/long.yaml" -output "$place/out" -net_seed 5
  [ "$status" = 65 ] && grep -q 'net_seed' "$place/log"
}
claim "SIGUSR1: stops, exit 75, with a checkpoint" interrupted 'reach: 2' 2 out "$place/long.yaml"
claim "a job with another seed does not take it" refuse_checkpoint
claim "the same job on another number of ranks goes on from it" goes_on reach 3 out "$place/long.yaml"
claim "a job that moved its targets stops" interrupted density 2 moved jobs/theorem-2.1-perturbed.yaml -hessian_density 26 -hessian_density_probes 100000
claim "... and goes on with these targets" goes_on perturb 3 moved jobs/theorem-2.1-perturbed.yaml -hessian_density 0
claim "... says the report" says moved targets_moved true
claim "... which is proved again from the files" checks 2 moved
claim "version" sh -c "$codim --version | grep -q 'codim .*PETSc\|codim .*Petsc'"
echo "1..$count"
