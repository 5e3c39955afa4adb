/*
  cnn.c: convolutions as linear maps of patches. Each stage: convs.k (stride 1, padding kernel/2), sigma, average or max pooling;
  then head.

  A value between stages is an image [c, h, w]; patches and their images under the map are [places, .], places = h w.
*/
#include "builders.h"

typedef struct {
  PetscInt c, h, w;
} Image;

static json_t *ShapeOf(Image image)
{
  return json_pack("[I, I, I]", (json_int_t)image.c, (json_int_t)image.h, (json_int_t)image.w);
}

/* value := the op mean or max over pool x pool windows; rows and columns that fill none are left out */
static void AddPool(json_t *file, PetscInt stage, PetscInt pool, const char op[], Image *image, NetName value)
{
  const PetscInt h = image->h / pool, w = image->w / pool;
  NetName        name;

  if (image->h % pool) {
    (void)PetscSNPrintf(name, sizeof(name), "convs.%" PetscInt_FMT ".rows", stage);
    NetFileAdd(file, name, "slice", json_pack("[s]", value), NULL,
               json_pack("{s:o, s:i, s:I}", "shape", ShapeOf(*image), "axis", 1, "last", (json_int_t)h * pool));
    (void)PetscStrncpy(value, name, sizeof(name));
    image->h = h * pool;
  }
  if (image->w % pool) {
    (void)PetscSNPrintf(name, sizeof(name), "convs.%" PetscInt_FMT ".cols", stage);
    NetFileAdd(file, name, "slice", json_pack("[s]", value), NULL,
               json_pack("{s:o, s:i, s:I}", "shape", ShapeOf(*image), "axis", 2, "last", (json_int_t)w * pool));
    (void)PetscStrncpy(value, name, sizeof(name));
    image->w = w * pool;
  }
  (void)PetscSNPrintf(name, sizeof(name), "convs.%" PetscInt_FMT ".pool", stage);
  NetFileAdd(file, name, op, json_pack("[s]", value), NULL,
             json_pack("{s:[I, I, I, I, I], s:[i, i]}", "shape", (json_int_t)image->c, (json_int_t)h, (json_int_t)pool,
                       (json_int_t)w, (json_int_t)pool, "axes", 2, 4));
  (void)PetscStrncpy(value, name, sizeof(name));
  image->h = h;
  image->w = w;
}

static void AddStage(json_t *file, const NetOptions *options, PetscInt stage, Image *image, NetName value)
{
  const PetscInt kernel = options->kernel, padding = kernel / 2, channels = options->channels.v[stage];
  const PetscInt weight[] = {channels, image->c, kernel, kernel};
  NetName        conv, patches, name;

  (void)PetscSNPrintf(conv, sizeof(conv), "convs.%" PetscInt_FMT, stage);
  (void)PetscSNPrintf(patches, sizeof(patches), "convs.%" PetscInt_FMT ".patches", stage);
  (void)PetscSNPrintf(name, sizeof(name), "convs.%" PetscInt_FMT ".image", stage);
  NetFileAdd(file, patches, "unfold", json_pack("[s]", value), NULL,
             json_pack("{s:o, s:I, s:I}", "shape", ShapeOf(*image), "kernel", (json_int_t)kernel, "padding", (json_int_t)padding));
  NetFileAddLinear(file, conv, patches, 4, weight, options->bias);
  image->c = channels;
  image->h += 2 * padding - kernel + 1;
  image->w += 2 * padding - kernel + 1;
  NetFileAdd(file, name, "permute", json_pack("[s]", conv), NULL,
             json_pack("{s:[I, I], s:[i, i]}", "shape", (json_int_t)image->h * image->w, (json_int_t)channels, "axes", 1, 0));
  NetFileAddActivation(file, conv, options->activation, name, value);
}

json_t *NetBuild_cnn(const NetRequest *request, Complaint *complaint)
{
  const NetOptions *options = request->options;
  json_t           *file    = NetFileCreate(request->inputs);
  NetName           value   = "input";
  Image             image   = {options->shape.v[0], options->shape.v[1], options->shape.v[2]};
  PetscInt          head[2] = {request->outputs, 0};

  if (options->shape.n != 3 || (PetscReal)image.c * (PetscReal)image.h * (PetscReal)image.w != (PetscReal)request->inputs)
    Complain(complaint, STATUS_USAGE, "net.shape must be [c, h, w] with c h w = p; the data have p = %" PetscInt_FMT " inputs",
             request->inputs);
  if (options->channels.n == 0)
    Complain(complaint, STATUS_USAGE, "net.channels must say how many channels each stage has, e.g. [8, 16]");
  for (PetscInt stage = 0; !complaint->status && stage < options->channels.n; stage++) {
    AddStage(file, options, stage, &image, value);
    if (PetscMin(image.h, image.w) < options->pool)
      Complain(complaint, STATUS_USAGE,
               "net.pool: stage %" PetscInt_FMT " has %" PetscInt_FMT " x %" PetscInt_FMT " pixels, fewer than the window", stage,
               image.h, image.w);
    else if (options->pool > 1)
      AddPool(file, stage, options->pool, NetPoolings[options->pooling], &image, value);
  }
  head[1] = image.c * image.h * image.w;
  NetFileAddLinear(file, "head", value, 2, head, options->bias);
  return file;
}
