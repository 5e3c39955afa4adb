/*
  job_cite.c: -citations: whom to cite for a run, beside those that PETSc and SLEPc name themselves.
*/
#include "codim/version.h"
#include "job_state.h"
#include <string.h>

static PetscBool Always(Job job)
{
  (void)job;
  return PETSC_TRUE;
}

static PetscBool UsedELPA(Job job)
{
  return (PetscBool)(job->report.spectrum && strstr(job->spectrum.solver, "ELPA"));
}

static PetscBool UsedScaLAPACK(Job job)
{
  return (PetscBool)(job->K && job->K->nprow * job->K->npcol > 1);
}

static PetscBool Proved(Job job)
{
  return (PetscBool)(job->certificate.status == CERTIFY_PROVED);
}

static PetscBool UsedDensity(Job job)
{
  return (PetscBool)(job->density.probes > 0);
}

typedef struct {
  PetscBool (*used)(Job job);
  const char *bibtex;
} Citation;

static const Citation Citations[] = {
    {Always, "@software{codim,\n  title = {codim: codimension and Hessian of the zero-loss manifold of a neural net},\n"
             "  author = {{The codim authors}},\n  version = {" CODIM_VERSION "}\n}\n"},
    {Always, "@article{Cooper2018,\n  title = {The loss landscape of overparameterized neural networks},\n  author = {Y. Cooper},\n"
             "  journal = {arXiv:1804.10200},\n  year = {2018}\n}\n"},
    {UsedELPA,
     "@article{Marek2014,\n  title = {The {ELPA} library: scalable parallel eigenvalue solutions for electronic structure theory "
     "and "
     "computational science},\n  author = {A. Marek and V. Blum and R. Johanni and V. Havu and B. Lang and T. Auckenthaler and A. "
     "Heinecke and H.-J. Bungartz and H. Lederer},\n  journal = {J. Phys.: Condens. Matter},\n  volume = {26},\n  pages = "
     "{213201},\n  year = {2014}\n}\n"},
    {UsedScaLAPACK, "@book{slug,\n  title = {{ScaLAPACK} Users' Guide},\n  author = {L. S. Blackford and J. Choi and A. Cleary and "
                    "E. D'Azevedo and "
                    "J. Demmel and I. Dhillon and J. Dongarra and S. Hammarling and G. Henry and A. Petitet and K. Stanley and D. "
                    "Walker and R. C. "
                    "Whaley},\n  publisher = {SIAM},\n  year = {1997}\n}\n"},
    {Proved, "@article{Rump2006,\n  title = {Verification of positive definiteness},\n  author = {S. M. Rump},\n  journal = {BIT "
             "Numerical Mathematics},\n  volume = {46},\n  pages = {433--452},\n  year = {2006}\n}\n"},
    {UsedDensity,
     "@article{Ubaru2017,\n  title = {Fast estimation of tr(f(A)) via stochastic {Lanczos} quadrature},\n  author = {S. "
     "Ubaru and J. Chen and Y. Saad},\n  journal = {SIAM J. Matrix Anal. Appl.},\n  volume = {38},\n  pages = "
     "{1075--1099},\n  year = {2017}\n}\n"},
};

PetscErrorCode JobCite(Job job)
{
  static PetscBool cited[PETSC_STATIC_ARRAY_LENGTH(Citations)];

  PetscFunctionBeginUser;
  for (size_t k = 0; k < PETSC_STATIC_ARRAY_LENGTH(Citations); k++)
    if (Citations[k].used(job)) PetscCall(PetscCitationsRegister(Citations[k].bibtex, &cited[k]));
  PetscFunctionReturn(PETSC_SUCCESS);
}
