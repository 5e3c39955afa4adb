# codim as a Spack package. In a repository of one's own:
#
#   spack repo create ~/codim-repo && spack repo add ~/codim-repo          (where it says the packages are, below: PACKAGES)
#   mkdir PACKAGES/codim && cp slurm/spack/package.py PACKAGES/codim
#   spack dev-build codim@main          in the source tree; spack load codim afterwards
#
# There is no release to download yet: the sources are the tree it is built in.
from spack.package import *


class Codim(MakefilePackage):
    """The zero-loss manifold of a neural net: codimension, Hessian, proof."""

    license("BSD-2-Clause")
    version("main")

    variant("index64", default=False, description="64-bit indices of PETSc: more than 2^31 parameters")

    depends_on("c", type="build")
    depends_on("gmake", type="build")
    depends_on("pkgconfig", type="build")
    depends_on("mpi@3:")
    depends_on("petsc@3.18:+mpi~complex+double+hdf5")
    depends_on("petsc+int64", when="+index64")
    depends_on("petsc~int64", when="~index64")
    depends_on("slepc@3.18:")
    depends_on("hdf5@1.10:+mpi+hl")
    depends_on("scalapack")
    depends_on("blas")
    depends_on("openblas threads=openmp", when="^openblas")  # the threads of codim's own loops
    depends_on("lapack")
    depends_on("jansson@2.10:")
    depends_on("libyaml")
    depends_on("zlib-api")
    depends_on("random123")

    def setup_build_environment(self, env):
        env.set("PETSC_DIR", self.spec["petsc"].prefix)
        env.set("SLEPC_DIR", self.spec["slepc"].prefix)
        env.set("CC", self.spec["mpi"].mpicc)

    # random123 has headers only, and no .pc file
    @property
    def build_targets(self):
        return [f"CC={self.spec['mpi'].mpicc}", f"CPPFLAGS=-I{self.spec['random123'].prefix.include}", "all"]

    def install(self, spec, prefix):
        make(f"CC={spec['mpi'].mpicc}", f"CPPFLAGS=-I{spec['random123'].prefix.include}", f"PREFIX={prefix}", "install")
