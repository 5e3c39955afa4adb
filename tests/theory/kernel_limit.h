/*
  kernel_limit.h: the tangent kernel K = J J^T of a wide fully connected erf net at its random start, in closed form.

  L hidden layers of width h, one output, weights N(0, g^2/fan-in), biases N(0, b^2), all of them parameters. As h grows the entries of z_k over
  the units become independent Gaussian processes over the points (Neal 1996), of covariance

    S_1 = g^2 x.x'/p + b^2,     S_(k+1) = g^2 E_k + b^2,
    E_k = E[erf u erf v] = 2/pi arcsin(2 S_uv / sqrt((1 + 2 S_uu)(1 + 2 S_vv)))                                  (Williams 1997)
    E'_k = E[erf' u erf' v] = 4/pi / sqrt((1 + 2 S_uu)(1 + 2 S_vv) - 4 S_uv^2)          for (u, v) ~ N(0, S_k)

  and the adjoints at z_k have D_(L+1) = 1, D_k = g^2 E'_k D_(k+1) (Jacot, Gabriel, Hongler 2018). A map z = W a + b of a label W adds
  (a.a') D to K, a label b adds D; a.a' = h E for the outputs of a hidden layer. Label by label, for this parametrization,

    Theta = (x.x' + 1) D_1 + sum_(k = 1 … L) (h E_k + 1) D_(k+1),        |K - Theta|_F/|Theta|_F = O(h^(-1/2)).
*/
#pragma once

#include "codim/gram.h"
#include "codim/network.h"
#include <math.h>

/* Theta of two points from their scalar products */
static inline double KernelLimit(const NetOptions *net, PetscInt p, double xx, double xy, double yy)
{
  const double   g2 = (double)(net->gain * net->gain), b2 = (double)(net->bias_gain * net->bias_gain);
  const PetscInt L    = net->widths.n;
  double         S[3] = {g2 * xx / (double)p + b2, g2 * xy / (double)p + b2, g2 * yy / (double)p + b2}, E[16], slope[16];
  double         D = 1, theta = 0;

  for (PetscInt k = 0; k < L; k++) {
    const double u = 1 + 2 * S[0], v = 1 + 2 * S[2];

    E[k]     = M_2_PI * asin(2 * S[1] / sqrt(u * v));
    slope[k] = 2 * M_2_PI / sqrt(u * v - 4 * S[1] * S[1]);
    S[0]     = g2 * M_2_PI * asin(2 * S[0] / u) + b2;
    S[2]     = g2 * M_2_PI * asin(2 * S[2] / v) + b2;
    S[1]     = g2 * E[k] + b2;
  }
  for (PetscInt k = L - 1; k >= 0; k--) {
    theta += ((double)net->widths.v[k] * E[k] + 1) * D;
    D *= g2 * slope[k];
  }
  return theta + (xy + 1) * D;
}

/* |K - Theta|_F / |Theta|_F over the lower triangle. x: all points, whole on every rank. Collective. */
static inline PetscErrorCode KernelDistance(const NetOptions *net, Tiles K, PetscInt p, const PetscReal x[], PetscReal *distance)
{
  double sums[2] = {0, 0};

  PetscFunctionBeginUser;
  for (int c = 0; c < K->cols; c++)
    for (int r = 0; r < K->rows; r++) {
      const PetscInt i = TilesGlobalRow(K, K->myrow, r), j = TilesGlobalCol(K, K->mycol, c);
      double         xx = 0, xy = 0, yy = 0, theta;

      if (i < j) continue;
      for (PetscInt k = 0; k < p; k++) {
        xx += (double)(x[i * p + k] * x[i * p + k]);
        xy += (double)(x[i * p + k] * x[j * p + k]);
        yy += (double)(x[j * p + k] * x[j * p + k]);
      }
      theta = KernelLimit(net, p, xx, xy, yy);
      sums[0] += pow((double)K->a[(size_t)c * (size_t)K->rows + (size_t)r] - theta, 2);
      sums[1] += theta * theta;
    }
  PetscCallMPI(MPI_Allreduce(MPI_IN_PLACE, sums, 2, MPI_DOUBLE, MPI_SUM, K->world));
  *distance = sqrt(sums[0] / sums[1]);
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* least-squares slope of log y over log x */
static inline PetscReal LogSlope(PetscInt n, const PetscReal x[], const PetscReal y[])
{
  double mean[2] = {0, 0}, xx = 0, xy = 0;

  for (PetscInt i = 0; i < n; i++) {
    mean[0] += log((double)x[i]) / (double)n;
    mean[1] += log((double)y[i]) / (double)n;
  }
  for (PetscInt i = 0; i < n; i++) {
    xx += pow(log((double)x[i]) - mean[0], 2);
    xy += (log((double)x[i]) - mean[0]) * (log((double)y[i]) - mean[1]);
  }
  return xy / xx;
}
