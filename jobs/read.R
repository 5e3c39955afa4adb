# read.R DIR: what a codim run found, read in R: report.json and spectrum.h5. Needs jsonlite and hdf5r.
#
#     Rscript jobs/read.R results/digits
directory <- commandArgs(trailingOnly = TRUE)
if (length(directory) != 1) stop("usage: Rscript read.R DIR")

report  <- jsonlite::fromJSON(file.path(directory, "report.json"))
verdict <- report$verdict
word    <- if (is.null(verdict$holds)) "undecided" else if (verdict$holds) "holds" else "refuted"
basis   <- if (is.null(verdict$basis)) "none" else verdict$basis
cat(sprintf("%s: n = %d, m = %d, %s (%s)\n", report$problem$net, report$problem$parameters, report$problem$residuals, word, basis))

spectrum <- file.path(directory, "spectrum.h5")
if (file.exists(spectrum)) { # there is none where the claim was refuted before any spectrum
  file     <- hdf5r::H5File$new(spectrum, mode = "r")
  sigma    <- file[["jacobian/singular_values"]][]
  positive <- file[["hessian/positive"]][]
  file$close_all()
  cat(sprintf("%d singular values of J, %.6g to %.6g\n", length(sigma), max(sigma), min(sigma)))
  cat(sprintf("%d positive eigenvalues of the Hessian, %.6g to %.6g; zeros: %s\n", length(positive), max(positive), min(positive),
              format(report$hessian$zero)))
  pdf(file.path(directory, "spectrum-r.pdf"), width = 3.25, height = 2.6, pointsize = 8)
  plot(seq_along(positive), positive, log = "xy", pch = 20, xlab = "index", ylab = "eigenvalue of the Hessian")
  invisible(dev.off())
}
