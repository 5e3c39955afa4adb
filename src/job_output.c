/*
  job_output.c: what a job leaves in its output directory.
*/
#include "job_state.h"

static PetscErrorCode WritePairs(SpectrumFile file, const char dataset[], const char what[], const EigenPairs *pairs)
{
  char name[64];

  PetscFunctionBeginUser;
  if (pairs->products < 0) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(SpectrumFileWrite(file, dataset, pairs->found, pairs->value, what,
                              "Hessian of L = |H|^2 (plain sum), at the stored weights", "as SLEPc found them"));
  PetscCall(PetscSNPrintf(name, sizeof(name), "%s_residuals", dataset));
  PetscCall(SpectrumFileWrite(file, name, pairs->found, pairs->residual, "|A v - lambda v| for |v| = 1", "absolute",
                              "as the eigenvalues"));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode WriteSpectra(Job job)
{
  const Report *r = &job->report;
  SpectrumFile  file;
  OptionString  path;
  PetscReal    *lambda;
  PetscInt      positive;

  PetscFunctionBeginUser;
  if (!r->spectrum) PetscFunctionReturn(PETSC_SUCCESS);
  positive = job->spectrum.rank >= 0 ? job->spectrum.rank : job->spectrum.above;
  PetscCall(PetscMalloc1(positive, &lambda));
  SpectrumHessian(&job->spectrum, positive, lambda);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/spectrum.h5", job->run.output));
  PetscCall(SpectrumFileCreate(job->comm, path, &file));
  if (!job->spectrum.counted) {
    PetscCall(SpectrumFileWrite(file, "/jacobian/singular_values", job->spectrum.m, job->spectrum.sigma,
                                "all m singular values of the Jacobian J of H", "residuals H = f - y, unscaled", "descending"));
    PetscCall(SpectrumFileWrite(file, "/hessian/positive", positive, lambda,
                                "2 sigma^2: the positive eigenvalues of the Hessian on M", "Hessian of L = |H|^2 (plain sum)",
                                "descending"));
  }
  if (r->extremes) {
    PetscCall(WritePairs(file, "/hessian/largest", "largest eigenvalues of the exact Hessian", &r->extremes->largest));
    PetscCall(
        WritePairs(file, "/hessian/smallest", "smallest (most negative) eigenvalues of the exact Hessian", &r->extremes->smallest));
    PetscCall(WritePairs(file, "/hessian/zeros", "eigenvalues of the zero cluster of the exact Hessian", &r->extremes->zeros));
    PetscCall(WritePairs(file, "/hessian/kernel", "eigenvalue of largest magnitude of P S P, P the projection onto ker J",
                         &r->extremes->kernel));
  }
  if (r->full)
    PetscCall(SpectrumFileWrite(file, "/hessian/all", r->full->n, r->full->lambda, "all n eigenvalues of the exact Hessian",
                                "Hessian of L = |H|^2 (plain sum), at the stored weights", "ascending"));
  if (job->density.probes) PetscCall(DensityWrite(file, "/hessian/density", &job->density));
  if (job->density_known.probes) PetscCall(DensityWrite(file, "/hessian/density/known", &job->density_known));
  PetscCall(SpectrumFileClose(&file));
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

/* the sizes of zeros that were measured, each with its residual: what is drawn is a bound on how far from 0 it can be */
static void AppendSizes(const EigenPairs *pairs, PetscInt *count, PetscReal size[])
{
  for (PetscInt i = 0; i < pairs->found; i++) {
    const PetscReal value = pairs->value[i];

    size[(*count)++] = value < 0 ? value - pairs->residual[i] : value + pairs->residual[i];
  }
}

static PetscErrorCode DrawSpectrum(Job job)
{
  const Report  *r      = &job->report;
  SpectrumFigure figure = {.title = r->net};
  OptionString   path;
  PetscReal     *lambda, *measured;

  PetscFunctionBeginUser;
  if (!r->spectrum || job->spectrum.counted) PetscFunctionReturn(PETSC_SUCCESS);
  figure.npositive = job->spectrum.rank >= 0 ? job->spectrum.rank : job->spectrum.above;
  figure.nzero     = r->n - figure.npositive;
  PetscCall(PetscMalloc1(figure.npositive, &lambda));
  SpectrumHessian(&job->spectrum, figure.npositive, lambda);
  PetscCall(PetscMalloc1(job->extremes_result.zeros.found + job->extremes_result.kernel.found, &measured));
  AppendSizes(&job->extremes_result.zeros, &figure.nmeasured, measured);
  AppendSizes(&job->extremes_result.kernel, &figure.nmeasured, measured);
  figure.positive   = lambda;
  figure.measured   = measured;
  figure.resolution = 2 * job->spectrum.resolution * job->spectrum.resolution;
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/spectrum.svg", job->run.output));
  PetscCall(FigureWriteSpectrum(job->comm, path, &figure));
  PetscCall(PetscFree(measured));
  PetscCall(PetscFree(lambda));
  PetscFunctionReturn(PETSC_SUCCESS);
}

static PetscErrorCode DrawDensity(Job job)
{
  const DensityView view = JobDensityView(job);
  OptionString      path;

  PetscFunctionBeginUser;
  if (!job->density.probes) PetscFunctionReturn(PETSC_SUCCESS);
  PetscCall(PetscSNPrintf(path, sizeof(path), "%s/density", job->run.output));
  PetscCall(DensityDraw(job->comm, path, &view));
  PetscFunctionReturn(PETSC_SUCCESS);
}

PetscErrorCode JobWriteOutput(Job job)
{
  OptionString   problem, net, weights, certificate, walk, perturbation;
  CertifySubject subject = {job->map, &job->net_options, job->run.weights ? weights : NULL, problem, job->theta};

  PetscFunctionBeginUser;
  PetscCall(PetscSNPrintf(problem, sizeof(problem), "%s/problem.h5", job->run.output));
  PetscCall(PetscSNPrintf(weights, sizeof(weights), "%s/weights.safetensors", job->run.output));
  PetscCall(PetscSNPrintf(certificate, sizeof(certificate), "%s/certificate.json", job->run.output));
  PetscCall(PetscSNPrintf(net, sizeof(net), "%s/net.json", job->run.output));
  PetscCall(PetscSNPrintf(perturbation, sizeof(perturbation), "%s/perturbation.h5", job->run.output));
  PetscCall(JobClearResults(job));
  PetscCall(DataWriteProblem(job->data, problem));
  PetscCall(NetworkWrite(job->comm, job->network, net));
  if (JobTargetsMoved(job)) PetscCall(PerturbWrite(job->data, &job->perturbation, perturbation));
  if (!job->report.reached) PetscFunctionReturn(PETSC_SUCCESS);
  if (job->run.weights) PetscCall(WeightsWrite(job->parameters, job->theta, weights));
  PetscCall(CertifyWriteJSON(certificate, &subject, &job->certificate));
  PetscCall(WriteSpectra(job));
  PetscCall(DrawSpectrum(job));
  PetscCall(DrawDensity(job));
  PetscCall(JobWriteTrajectory(job));
  PetscCall(PetscSNPrintf(walk, sizeof(walk), "%s/walk", job->run.output));
  PetscCall(WalkWrite(job->comm, walk, job->report.net, &job->walk));
  PetscFunctionReturn(PETSC_SUCCESS);
}
