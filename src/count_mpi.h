/*
  count_mpi.h: what MPI moves, by its profiling interface: a program, or a library to preload, that includes this replaces MPI's functions by
  ones that count.

  Conventions as in include/codim/cost.h. Messages of a rank to itself and communicators of one rank do not count. ELPA calls the Fortran
  interface, which would not be seen through the C one.
*/
#pragma once

#include <dlfcn.h>
#include <mpi.h>

/* PETSc, where it is included before, logs calls by macros of these names */
#undef MPI_Allgather
#undef MPI_Allgatherv
#undef MPI_Allreduce
#undef MPI_Alltoall
#undef MPI_Alltoallv
#undef MPI_Bcast
#undef MPI_Bsend
#undef MPI_Gather
#undef MPI_Gatherv
#undef MPI_Iallreduce
#undef MPI_Ibsend
#undef MPI_Irsend
#undef MPI_Isend
#undef MPI_Issend
#undef MPI_Reduce
#undef MPI_Reduce_scatter
#undef MPI_Reduce_scatter_block
#undef MPI_Rsend
#undef MPI_Send
#undef MPI_Sendrecv
#undef MPI_Ssend

static struct {
  double received, messages; /* of this rank */
} counted;

static void Count(double bytes)
{
  counted.received += bytes;
  counted.messages += 1;
}

static int Size(MPI_Comm comm)
{
  int p;

  PMPI_Comm_size(comm, &p);
  return p;
}

static int Rank(MPI_Comm comm)
{
  int rank;

  PMPI_Comm_rank(comm, &rank);
  return rank;
}

static double Bytes(double count, MPI_Datatype type)
{
  int size;

  PMPI_Type_size(type, &size);
  return count * size;
}

static double Sum(const int counts[], MPI_Comm comm)
{
  double    sum = 0;
  const int p   = Size(comm);

  for (int i = 0; i < p; i++) sum += counts[i];
  return sum;
}

/* ---- one function a kind, for C and Fortran --------------------------------------------------------------------------- */

static void CountMessage(int count, MPI_Datatype type, int to, MPI_Comm comm)
{
  if (to != MPI_PROC_NULL && to != Rank(comm)) Count(Bytes(count, type));
}

static void CountBroadcast(int count, MPI_Datatype type, int root, MPI_Comm comm)
{
  if (Size(comm) > 1) Count(Rank(comm) == root ? 0 : Bytes(count, type));
}

static void CountReduction(int count, MPI_Datatype type, int times, MPI_Comm comm)
{
  const double p = Size(comm);

  if (p > 1) Count(times * Bytes(count, type) * (1 - 1 / p));
}

static void CountGathered(double all, double own, MPI_Datatype type, MPI_Comm comm)
{
  if (Size(comm) > 1) Count(Bytes(all - own, type));
}

/* ---- C ------------------------------------------------------------------------------------------------------------------ */

#define SEND(name)                                                                                                                 \
  int MPI_##name(const void *buf, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm)                                    \
  {                                                                                                                                \
    CountMessage(count, type, to, comm);                                                                                           \
    return PMPI_##name(buf, count, type, to, tag, comm);                                                                           \
  }
#define ISEND(name)                                                                                                                \
  int MPI_##name(const void *buf, int count, MPI_Datatype type, int to, int tag, MPI_Comm comm, MPI_Request *request)              \
  {                                                                                                                                \
    CountMessage(count, type, to, comm);                                                                                           \
    return PMPI_##name(buf, count, type, to, tag, comm, request);                                                                  \
  }

SEND(Send)
SEND(Ssend)
SEND(Rsend)
SEND(Bsend)
ISEND(Isend)
ISEND(Issend)
ISEND(Irsend)
ISEND(Ibsend)

int MPI_Sendrecv(const void *sbuf, int scount, MPI_Datatype stype, int to, int stag, void *rbuf, int rcount, MPI_Datatype rtype,
                 int from, int rtag, MPI_Comm comm, MPI_Status *status)
{
  CountMessage(scount, stype, to, comm);
  return PMPI_Sendrecv(sbuf, scount, stype, to, stag, rbuf, rcount, rtype, from, rtag, comm, status);
}

int MPI_Bcast(void *buf, int count, MPI_Datatype type, int root, MPI_Comm comm)
{
  CountBroadcast(count, type, root, comm);
  return PMPI_Bcast(buf, count, type, root, comm);
}

int MPI_Allreduce(const void *sbuf, void *rbuf, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  CountReduction(count, type, 2, comm);
  return PMPI_Allreduce(sbuf, rbuf, count, type, op, comm);
}

int MPI_Iallreduce(const void *sbuf, void *rbuf, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm, MPI_Request *request)
{
  CountReduction(count, type, 2, comm);
  return PMPI_Iallreduce(sbuf, rbuf, count, type, op, comm, request);
}

int MPI_Reduce(const void *sbuf, void *rbuf, int count, MPI_Datatype type, MPI_Op op, int root, MPI_Comm comm)
{
  CountReduction(count, type, 1, comm);
  return PMPI_Reduce(sbuf, rbuf, count, type, op, root, comm);
}

int MPI_Reduce_scatter(const void *sbuf, void *rbuf, const int counts[], MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  if (Size(comm) > 1) Count(Bytes(Sum(counts, comm), type) * (1 - 1. / Size(comm)));
  return PMPI_Reduce_scatter(sbuf, rbuf, counts, type, op, comm);
}

int MPI_Reduce_scatter_block(const void *sbuf, void *rbuf, int count, MPI_Datatype type, MPI_Op op, MPI_Comm comm)
{
  if (Size(comm) > 1) Count(Bytes(count, type) * (Size(comm) - 1));
  return PMPI_Reduce_scatter_block(sbuf, rbuf, count, type, op, comm);
}

int MPI_Allgather(const void *sbuf, int scount, MPI_Datatype stype, void *rbuf, int rcount, MPI_Datatype rtype, MPI_Comm comm)
{
  CountGathered((double)rcount * Size(comm), rcount, rtype, comm);
  return PMPI_Allgather(sbuf, scount, stype, rbuf, rcount, rtype, comm);
}

int MPI_Allgatherv(const void *sbuf, int scount, MPI_Datatype stype, void *rbuf, const int counts[], const int starts[],
                   MPI_Datatype rtype, MPI_Comm comm)
{
  CountGathered(Sum(counts, comm), counts[Rank(comm)], rtype, comm);
  return PMPI_Allgatherv(sbuf, scount, stype, rbuf, counts, starts, rtype, comm);
}

int MPI_Gather(const void *sbuf, int scount, MPI_Datatype stype, void *rbuf, int rcount, MPI_Datatype rtype, int root,
               MPI_Comm comm)
{
  if (Rank(comm) == root)
    CountGathered((double)rcount * Size(comm), rcount, rtype, comm);
  else
    Count(0);
  return PMPI_Gather(sbuf, scount, stype, rbuf, rcount, rtype, root, comm);
}

int MPI_Gatherv(const void *sbuf, int scount, MPI_Datatype stype, void *rbuf, const int counts[], const int starts[],
                MPI_Datatype rtype, int root, MPI_Comm comm)
{
  if (Rank(comm) == root)
    CountGathered(Sum(counts, comm), counts[root], rtype, comm);
  else
    Count(0);
  return PMPI_Gatherv(sbuf, scount, stype, rbuf, counts, starts, rtype, root, comm);
}

int MPI_Alltoall(const void *sbuf, int scount, MPI_Datatype stype, void *rbuf, int rcount, MPI_Datatype rtype, MPI_Comm comm)
{
  CountGathered((double)rcount * Size(comm), rcount, rtype, comm);
  return PMPI_Alltoall(sbuf, scount, stype, rbuf, rcount, rtype, comm);
}

int MPI_Alltoallv(const void *sbuf, const int scounts[], const int sstarts[], MPI_Datatype stype, void *rbuf, const int rcounts[],
                  const int rstarts[], MPI_Datatype rtype, MPI_Comm comm)
{
  CountGathered(Sum(rcounts, comm), rcounts[Rank(comm)], rtype, comm);
  return PMPI_Alltoallv(sbuf, scounts, sstarts, stype, rbuf, rcounts, rstarts, rtype, comm);
}

/* ---- Fortran, as ELPA calls it ------------------------------------------------------------------------------------------- */

/* its own name in the library that has it */
#define FORTRAN(name) ((__typeof__(name) *)dlsym(RTLD_DEFAULT, "p" #name))
#define TYPE          MPI_Type_f2c(*type)
#define COMM          MPI_Comm_f2c(*comm)

void mpi_send_(void *buf, int *count, int *type, int *to, int *tag, int *comm, int *error);
void mpi_isend_(void *buf, int *count, int *type, int *to, int *tag, int *comm, int *request, int *error);
void mpi_bcast_(void *buf, int *count, int *type, int *root, int *comm, int *error);
void mpi_ibcast_(void *buf, int *count, int *type, int *root, int *comm, int *request, int *error);
void mpi_allreduce_(void *sbuf, void *rbuf, int *count, int *type, int *op, int *comm, int *error);
void mpi_iallreduce_(void *sbuf, void *rbuf, int *count, int *type, int *op, int *comm, int *request, int *error);
void mpi_reduce_(void *sbuf, void *rbuf, int *count, int *type, int *op, int *root, int *comm, int *error);
void mpi_allgather_(void *sbuf, int *scount, int *stype, void *rbuf, int *rcount, int *type, int *comm, int *error);
void mpi_alltoall_(void *sbuf, int *scount, int *stype, void *rbuf, int *rcount, int *type, int *comm, int *error);
void mpi_alltoallv_(void *sbuf, int *scounts, int *sstarts, int *stype, void *rbuf, int *rcounts, int *rstarts, int *type,
                    int *comm, int *error);
void mpi_sendrecv_(void *sbuf, int *count, int *type, int *to, int *stag, void *rbuf, int *rcount, int *rtype, int *from, int *rtag,
                   int *comm, int *status, int *error);
void mpi_sendrecv_replace_(void *buf, int *count, int *type, int *to, int *stag, int *from, int *rtag, int *comm, int *status,
                           int *error);

void mpi_send_(void *buf, int *count, int *type, int *to, int *tag, int *comm, int *error)
{
  CountMessage(*count, TYPE, *to, COMM);
  FORTRAN(mpi_send_)(buf, count, type, to, tag, comm, error);
}

void mpi_isend_(void *buf, int *count, int *type, int *to, int *tag, int *comm, int *request, int *error)
{
  CountMessage(*count, TYPE, *to, COMM);
  FORTRAN(mpi_isend_)(buf, count, type, to, tag, comm, request, error);
}

void mpi_bcast_(void *buf, int *count, int *type, int *root, int *comm, int *error)
{
  CountBroadcast(*count, TYPE, *root, COMM);
  FORTRAN(mpi_bcast_)(buf, count, type, root, comm, error);
}

void mpi_ibcast_(void *buf, int *count, int *type, int *root, int *comm, int *request, int *error)
{
  CountBroadcast(*count, TYPE, *root, COMM);
  FORTRAN(mpi_ibcast_)(buf, count, type, root, comm, request, error);
}

void mpi_allreduce_(void *sbuf, void *rbuf, int *count, int *type, int *op, int *comm, int *error)
{
  CountReduction(*count, TYPE, 2, COMM);
  FORTRAN(mpi_allreduce_)(sbuf, rbuf, count, type, op, comm, error);
}

void mpi_iallreduce_(void *sbuf, void *rbuf, int *count, int *type, int *op, int *comm, int *request, int *error)
{
  CountReduction(*count, TYPE, 2, COMM);
  FORTRAN(mpi_iallreduce_)(sbuf, rbuf, count, type, op, comm, request, error);
}

void mpi_reduce_(void *sbuf, void *rbuf, int *count, int *type, int *op, int *root, int *comm, int *error)
{
  CountReduction(*count, TYPE, 1, COMM);
  FORTRAN(mpi_reduce_)(sbuf, rbuf, count, type, op, root, comm, error);
}

void mpi_allgather_(void *sbuf, int *scount, int *stype, void *rbuf, int *rcount, int *type, int *comm, int *error)
{
  CountGathered((double)*rcount * Size(COMM), *rcount, TYPE, COMM);
  FORTRAN(mpi_allgather_)(sbuf, scount, stype, rbuf, rcount, type, comm, error);
}

void mpi_alltoall_(void *sbuf, int *scount, int *stype, void *rbuf, int *rcount, int *type, int *comm, int *error)
{
  CountGathered((double)*rcount * Size(COMM), *rcount, TYPE, COMM);
  FORTRAN(mpi_alltoall_)(sbuf, scount, stype, rbuf, rcount, type, comm, error);
}

void mpi_alltoallv_(void *sbuf, int *scounts, int *sstarts, int *stype, void *rbuf, int *rcounts, int *rstarts, int *type,
                    int *comm, int *error)
{
  CountGathered(Sum(rcounts, COMM), rcounts[Rank(COMM)], TYPE, COMM);
  FORTRAN(mpi_alltoallv_)(sbuf, scounts, sstarts, stype, rbuf, rcounts, rstarts, type, comm, error);
}

void mpi_sendrecv_(void *sbuf, int *count, int *type, int *to, int *stag, void *rbuf, int *rcount, int *rtype, int *from, int *rtag,
                   int *comm, int *status, int *error)
{
  CountMessage(*count, TYPE, *to, COMM);
  FORTRAN(mpi_sendrecv_)(sbuf, count, type, to, stag, rbuf, rcount, rtype, from, rtag, comm, status, error);
}

void mpi_sendrecv_replace_(void *buf, int *count, int *type, int *to, int *stag, int *from, int *rtag, int *comm, int *status,
                           int *error)
{
  CountMessage(*count, TYPE, *to, COMM);
  FORTRAN(mpi_sendrecv_replace_)(buf, count, type, to, stag, from, rtag, comm, status, error);
}

/* ---- reading ---------------------------------------------------------------------------------------------------------------- */

/* the means over the ranks of the world */
static void CountRead(double *received, double *messages)
{
  const int p       = Size(MPI_COMM_WORLD);
  double    mine[2] = {counted.received / p, counted.messages / p}, mean[2];

  PMPI_Allreduce(mine, mean, 2, MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
  *received = mean[0];
  *messages = mean[1];
}
