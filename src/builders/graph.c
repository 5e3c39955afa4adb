/*
  graph.c: the paper's G(V, E), pi, sigma, vertex by vertex, all parameters in one label `p`. Vertex v has the value

    form node   o_v = sigma(sum_u p[pi(u->v)] o_u + p[pi(v)])
    form edge   o_v = sum_u sigma(p[pi(u->v)] o_u + p[pi(v)])        the formula as printed
    outputs     o_v = sum_u p[pi(u->v)] o_u + p[pi(v)]               in both

    {"form": "node", "inputs": [vertices], "outputs": [vertices], "order": [vertices], "edges": [[from, to, pi], …],
     "bias": {"v": pi, …}, "parameters": how many}

  "order" has every vertex after those it has edges from; a vertex without an entry in "bias" has none.
*/
#include "builders.h"
#include <string.h>

typedef struct {
  json_t           *file, *graph;
  const NetOptions *options;
  json_t           *done; /* "v" -> the name of its value */
  PetscBool         edge_form;
  Complaint        *complaint;
} Graph;

static const char *Key(json_int_t vertex, NetName key)
{
  (void)PetscSNPrintf(key, sizeof(NetName), "%lld", (long long)vertex);
  return key;
}

static PetscBool IsIn(const json_t *list, json_int_t vertex)
{
  const json_t *item;
  size_t        i;

  json_array_foreach(list, i, item) if (json_integer_value(item) == vertex) return PETSC_TRUE;
  return PETSC_FALSE;
}

/* name := p[label] */
static void AddEntry(const Graph *g, const json_t *label, const char name[])
{
  const json_int_t count = json_integer_value(json_object_get(g->graph, "parameters")), k = json_integer_value(label);

  if (!json_is_integer(label) || k < 0 || k >= count)
    Complain(g->complaint, STATUS_USAGE, "net.graph: %s is labelled %lld; labels are integers from 0 to parameters - 1 = %lld",
             name, (long long)k, (long long)count - 1);
  NetFileAdd(g->file, name, "slice", json_pack("[s]", "p"), NULL, json_pack("{s:I, s:I}", "first", k, "last", k + 1));
}

/* value := value + term */
static void AddTerm(const Graph *g, const char prefix[], const char term[], NetName value)
{
  NetName name;

  if (value[0]) {
    (void)PetscSNPrintf(name, sizeof(name), "%s.sum", prefix);
    NetFileAdd(g->file, name, "add", json_pack("[s, s]", value, term), NULL, NULL);
  }
  (void)PetscStrncpy(value, value[0] ? name : term, sizeof(name));
}

/* value := value + the term of edge number i; bias: "", or to be added within sigma */
static void AddEdge(const Graph *g, size_t i, PetscBool output, const char bias[], NetName value)
{
  json_t     *edge = json_array_get(json_object_get(g->graph, "edges"), i);
  NetName     name, weight, term, key;
  const char *source = json_string_value(json_object_get(g->done, Key(json_integer_value(json_array_get(edge, 0)), key)));

  if (!source) {
    Complain(g->complaint, STATUS_USAGE, "net.graph: the edge from %s to %lld: %s is not before it in 'order', or there is a cycle",
             key, (long long)json_integer_value(json_array_get(edge, 1)), key);
    return;
  }
  (void)PetscSNPrintf(name, sizeof(name), "edge%d", (int)i);
  (void)PetscSNPrintf(weight, sizeof(weight), "%s.p", name);
  AddEntry(g, json_array_get(edge, 2), weight);
  NetFileAdd(g->file, name, "multiply", json_pack("[s, s]", source, weight), NULL, NULL);
  (void)PetscStrncpy(term, name, sizeof(term));
  if (g->edge_form && !output) {
    (void)PetscSNPrintf(weight, sizeof(weight), "%s.z", name);
    if (bias[0]) NetFileAdd(g->file, weight, "add", json_pack("[s, s]", name, bias), NULL, NULL);
    NetFileAddActivation(g->file, name, g->options->activation, bias[0] ? weight : name, term);
  }
  AddTerm(g, name, term, value);
}

static void AddVertex(const Graph *g, json_int_t vertex)
{
  const json_t   *edges  = json_object_get(g->graph, "edges"), *label;
  const PetscBool output = IsIn(json_object_get(g->graph, "outputs"), vertex);
  NetName         name, key, bias = "", value = "";
  const json_t   *edge;
  size_t          i;

  (void)PetscSNPrintf(name, sizeof(name), "v%s", Key(vertex, key));
  label = json_object_get(json_object_get(g->graph, "bias"), key);
  if (label) {
    (void)PetscSNPrintf(bias, sizeof(bias), "%s.bias", name);
    AddEntry(g, label, bias);
  }
  json_array_foreach(edges, i, edge) if (json_integer_value(json_array_get(edge, 1)) == vertex) AddEdge(g, i, output, bias, value);
  if (!value[0]) Complain(g->complaint, STATUS_USAGE, "net.graph: vertex %s is no input and has no edge to it", key);
  if (bias[0] && !(g->edge_form && !output)) AddTerm(g, name, bias, value);
  if (!g->edge_form && !output) NetFileAddActivation(g->file, name, g->options->activation, value, value);
  json_object_set_new(g->done, key, json_string(value));
}

/* the values of the output vertices, in their order; many at once are concatenated in groups */
static void AddOutputs(const Graph *g, const json_t *outputs)
{
  json_t *names = json_array(), *item;
  NetName name, key;
  size_t  i;
  int     level = 0;

  json_array_foreach(outputs, i, item) json_array_append(names, json_object_get(g->done, Key(json_integer_value(item), key)));
  do {
    json_t *groups = json_array();

    for (i = 0; i < json_array_size(names); i += OP_INPUTS_MAX) {
      json_t *inputs = json_array();

      for (size_t j = i; j < json_array_size(names) && j < i + OP_INPUTS_MAX; j++)
        json_array_append(inputs, json_array_get(names, j));
      (void)PetscSNPrintf(name, sizeof(name), "outputs.%d.%d", level, (int)i / OP_INPUTS_MAX);
      NetFileAdd(g->file, name, "concatenate", inputs, NULL, NULL);
      json_array_append_new(groups, json_string(name));
    }
    json_decref(names);
    names = groups;
    level++;
  } while (json_array_size(names) > 1);
  json_decref(names);
}

static void CheckGraph(const Graph *g, const NetRequest *request)
{
  static const char *const lists[] = {"inputs", "outputs", "order", "edges"};
  const char              *form    = json_string_value(json_object_get(g->graph, "form"));
  const size_t p = json_array_size(json_object_get(g->graph, "inputs")), l = json_array_size(json_object_get(g->graph, "outputs"));

  for (size_t i = 0; i < PETSC_STATIC_ARRAY_LENGTH(lists); i++)
    if (!json_is_array(json_object_get(g->graph, lists[i])))
      Complain(g->complaint, STATUS_USAGE, "net.graph: '%s' must be a list", lists[i]);
  if (!form || (strcmp(form, "node") != 0 && strcmp(form, "edge") != 0))
    Complain(g->complaint, STATUS_USAGE, "net.graph: 'form' must be \"node\" or \"edge\"");
  if (json_integer_value(json_object_get(g->graph, "parameters")) < 1)
    Complain(g->complaint, STATUS_USAGE, "net.graph: 'parameters' must say how many there are");
  if ((PetscInt)p != request->inputs || l == 0 || (request->outputs && (PetscInt)l != request->outputs))
    Complain(g->complaint, STATUS_USAGE,
             "net.graph has %d inputs and %d outputs; the data have %" PetscInt_FMT " inputs and %" PetscInt_FMT " outputs", (int)p,
             (int)l, request->inputs, request->outputs);
}

/* of a vertex that is no input, on average */
static PetscReal InDegree(const Graph *g)
{
  const PetscReal vertices = (PetscReal)json_array_size(json_object_get(g->graph, "order"));
  const PetscReal inputs   = (PetscReal)json_array_size(json_object_get(g->graph, "inputs")),
                  edges    = (PetscReal)json_array_size(json_object_get(g->graph, "edges"));

  return PetscMax(1, edges / PetscMax(1, vertices - inputs));
}

static void AddInputs(const Graph *g)
{
  NetName name, key;
  json_t *item;
  size_t  i;

  json_array_foreach(json_object_get(g->graph, "inputs"), i, item)
  {
    (void)PetscSNPrintf(name, sizeof(name), "v%s", Key(json_integer_value(item), key));
    NetFileAdd(g->file, name, "slice", json_pack("[s]", "input"), NULL,
               json_pack("{s:i, s:i}", "first", (int)i, "last", (int)i + 1));
    json_object_set_new(g->done, key, json_string(name));
  }
}

json_t *NetBuild_graph(const NetRequest *request, Complaint *complaint)
{
  Graph          g       = {.graph = request->given, .options = request->options, .complaint = complaint};
  const json_t  *outputs = json_object_get(g.graph, "outputs"), *form = json_object_get(g.graph, "form");
  const PetscInt count = (PetscInt)json_integer_value(json_object_get(g.graph, "parameters"));
  json_t        *item;
  NetName        key;
  size_t         i;

  CheckGraph(&g, request);
  if (complaint->status) return NULL;
  g.edge_form = (PetscBool)(strcmp(json_string_value(form), "edge") == 0);
  g.file      = NetFileCreate(request->inputs);
  g.done      = json_object();
  NetFileAddParameter(g.file, "p", 1, &count);
  json_object_set_new(json_array_get(json_object_get(g.file, "parameters"), 0), "deviation",
                      json_real(request->options->gain / PetscSqrtReal(InDegree(&g))));
  NetFileAdd(g.file, "p", "parameter", NULL, json_pack("{s:s}", "value", "p"), NULL);
  AddInputs(&g);
  json_array_foreach(json_object_get(g.graph, "order"), i, item) if (!json_object_get(g.done, Key(json_integer_value(item), key)))
      AddVertex(&g, json_integer_value(item));
  json_array_foreach(outputs, i, item) if (!json_object_get(g.done, Key(json_integer_value(item), key)))
      Complain(complaint, STATUS_USAGE, "net.graph: the output vertex %s is not in 'order'", key);
  if (!complaint->status) AddOutputs(&g, outputs);
  json_decref(g.done);
  return g.file;
}
