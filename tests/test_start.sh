#!/bin/sh
# seconds: 300
# whole jobs from loaded weights that are not at a zero: both points in the report, the same on every grid; all types of weights; what K tells; TAP
. tests/tap.sh
[ -n "$python" ] || { echo "1..0 # SKIP there is no python3"; exit 0; }

job digits <<'E'
data: {file: jobs/data/digits.csv, points: 30, heldout: 11, scale: standard, target_scale: unit}
net: {widths: [20, 10], activation: tanh}
E
claim "weights on their way to a zero" ends 3 1 way "$place/digits.yaml" -reach_steps 1 -hessian_extreme 0 -hessian_zeros 0
load="-reach_method load -reach_weights $place/way/weights.safetensors"

claim "loaded, they are brought to one" ends 0 1 one "$place/digits.yaml" $load
claim "... the summary has both points" grep -q 'start  *|H|^2 = .*, rank J = 30 .*, at least 2 negative eigenvalues' "$place/log"
claim "... so has the report: the loss before and after" report 'r[0]["start"]["loss"] == r[1]["minimum"]["loss"] > 1e-6 and r[0]["minimum"]["loss"] < 1e-24' one way
claim "... rank J there" report 'r[0]["start"]["rank"] == 30 and r[0]["start"]["sigma_min"] > 1e3 * r[0]["start"]["rank_resolution"]' one
claim "... a bound of the number of negative eigenvalues, no count" report 'r[0]["start"]["negative"] is None and r[0]["start"]["negative_at_least"] == 2' one
claim "... the distance, label by label" report 'close(r[0]["start"]["moved"], math.sqrt(sum(l["moved"] ** 2 for l in r[0]["start"]["moved_labels"]))) and len(r[0]["start"]["moved_labels"]) == 6' one
claim "... within its bracket" report 'r[0]["start"]["distance_lower"] <= r[0]["start"]["moved"] <= r[0]["start"]["distance_upper"]' one
claim "... and the change of the outputs on points held out" report 'r[0]["start"]["heldout"]["points"] == 11 and 0 < r[0]["start"]["heldout"]["change_rms"] <= r[0]["start"]["heldout"]["change_max"]' one
same='all(close(r[0]["start"][k], r[1]["start"][k], 1e-6) for k in ("loss", "sigma_min", "sigma_max", "moved")) and close([l["moved"] for l in r[0]["start"]["moved_labels"]], [l["moved"] for l in r[1]["start"]["moved_labels"]], 1e-6) and close(r[0]["start"]["heldout"]["change_max"], r[1]["start"]["heldout"]["change_max"], 1e-6) and r[0]["start"]["heldout"]["point"] == r[1]["start"]["heldout"]["point"] and close(r[0]["start"]["hessian"]["most_negative"], r[1]["start"]["hessian"]["most_negative"], 1e-2)'
kernel='all(close(r[0]["tangent_kernel"][k], r[1]["tangent_kernel"][k], 1e-6) for k in ("trace", "log_determinant", "condition", "stable_rank")) and [p["point"] for p in r[0]["tangent_kernel"]["weakest_points"]["points"]] == [p["point"] for p in r[1]["tangent_kernel"]["weakest_points"]["points"]] and [(l["rank"], l["rank_max"]) for l in r[0]["tangent_kernel"]["labels"]] == [(l["rank"], l["rank_max"]) for l in r[1]["tangent_kernel"]["labels"]] and close([l["trace_share"] for l in r[0]["tangent_kernel"]["labels"]], [l["trace_share"] for l in r[1]["tangent_kernel"]["labels"]], 1e-6) and r[0]["tangent_kernel"]["gradient_min"]["point"] == r[1]["tangent_kernel"]["gradient_min"]["point"]'
for grid in 2,1 1,2 1,3 2,2; do
  claim "on a grid of $grid" ends 0 $((${grid%,*} * ${grid#*,})) grid "$place/digits.yaml" $load -grid $grid
  claim "... both points are the same" report "$same" one grid
  claim "... so is what K tells" report "$kernel" one grid
done
claim "K tells which layers alone give rank m" report '[l["name"] for l in r[0]["tangent_kernel"]["labels"] if l["rank"] == 30] == ["layers.0.weight", "layers.1.weight"]' one
summary=$(tr -s '\n ' ' ' <"$place/log")
claim "... in the summary too" expr "$summary" : '.* K trace .* log det .* condition .* stable rank .* effective dimension .* least |grad f_i| .*; weakest points .*; of the trace .*layers.0.weight [0-9.]* % (alone of rank m, lambda_min .*layers.1.weight [0-9.]* % (alone of rank m'
claim "... unless it is not asked to" ends 0 2 never "$place/digits.yaml" $load -spectrum_labels never
claim "... which the report says" report '"not asked for" in r[0]["tangent_kernel"]["labels_skipped"] and all(l["rank"] is None for l in r[0]["tangent_kernel"]["labels"])' never
claim "where the whole Hessian is asked for, its negative eigenvalues are counted at the start" ends 0 2 full "$place/digits.yaml" $load -hessian_full
claim "... hundreds of them, and none at the zero" report 'r[0]["start"]["negative"] > 100 and r[0]["hessian"]["full"]["negative"] == 0 and r[0]["start"]["hessian"]["method"] == "full"' full
claim "without polishing nothing moves" ends 3 2 stays "$place/digits.yaml" $load -reach_polish false
claim "... and there is one point" report 'r[0]["start"] is None and close(r[0]["minimum"]["loss"], r[1]["start"]["loss"])' stays one

# the same weights as F32, F16 and BF16 (rounded to nearest)
$python - "$place/way/weights.safetensors" "$place" <<'E'
import json, struct, sys
raw = open(sys.argv[1], 'rb').read()
size, = struct.unpack('<Q', raw[:8])
header, body = json.loads(raw[8:8 + size]), raw[8 + size:]
header.pop('__metadata__', None)
def half(x, kind):
    if kind == 'F16': return struct.pack('<e', x)
    if kind == 'F32': return struct.pack('<f', x)
    bits, = struct.unpack('<I', struct.pack('<f', x))
    return struct.pack('<H', (bits + 0x7fff + (bits >> 16 & 1)) >> 16)
for kind in 'F32', 'F16', 'BF16':
    new, data = {}, b''
    for name, t in header.items():
        first, last = t['data_offsets']
        bytes_ = b''.join(half(x, kind) for x in struct.unpack('<%dd' % ((last - first) // 8), body[first:last]))
        new[name] = {'dtype': kind, 'shape': t['shape'], 'data_offsets': [len(data), len(data) + len(bytes_)]}
        data += bytes_
    text = json.dumps(new).encode()
    open('%s/%s.safetensors' % (sys.argv[2], kind), 'wb').write(struct.pack('<Q', len(text)) + text + data)
E
for kind in F32 F16 BF16; do
  claim "weights in $kind" ends 0 2 $kind "$place/digits.yaml" -reach_method load -reach_weights "$place/$kind.safetensors"
done
claim "... lead to zeros nearby, nearer the more digits they have" report 'all(r[0]["start"]["loss"] != s["start"]["loss"] for s in r[1:]) and abs(r[1]["start"]["loss"] - r[0]["start"]["loss"]) < abs(r[2]["start"]["loss"] - r[0]["start"]["loss"]) < abs(r[3]["start"]["loss"] - r[0]["start"]["loss"])' one F32 F16 BF16

# output that cannot be written leaves a checkpoint: everything is in it
blocked() {
  rm -rf "$place/again"
  mkdir -p "$place/again/net.json"
  run 2 run "$place/digits.yaml" $load -output "$place/again"
  [ "$status" = 65 ] && [ -f "$place/again/checkpoint.h5" ] && rmdir "$place/again/net.json"
}
resumes() {
  run 3 run "$place/digits.yaml" $load -output "$place/again"
  [ "$status" = 0 ] && grep -q 'going on from .*loaded, .*reach' "$place/log"
}
claim "a run that could not write its output" blocked
claim "... goes on from its checkpoint, on another number of ranks" resumes
claim "... with both points" report "$same" one again
claim "... and what K tells" report "$kernel" one again
echo "1..$count"
