# Reference values of tests/stats/agreement/test_icc.py: Rscript icc.R, in this folder (psych).
suppressPackageStartupMessages(library(psych))
set.seed(20261121)
sf <- matrix(c(9,2,5,8, 6,1,3,2, 8,4,6,8, 7,1,2,6, 10,5,6,9, 6,2,4,7), ncol = 4, byrow = TRUE)
subject <- rnorm(30, 50, 8)
good <- sapply(1:3, function(j) subject + c(0, 1, -2)[j] + rnorm(30, 0, 2))
poor <- sapply(1:2, function(j) rnorm(12, 0, 1))
cases <- list(shrout_fleiss = sf, good = good, poor = poor)
input <- do.call(rbind, lapply(names(cases), function(n) {
  m <- cases[[n]]
  data.frame(case = n, subject = rep(seq_len(nrow(m)), ncol(m)),
             reading = rep(seq_len(ncol(m)), each = nrow(m)),
             value = sprintf("%.17g", as.vector(m)))
}))
write.csv(input, "icc_input.csv", row.names = FALSE, quote = FALSE)
forms <- c(ICC1 = "ICC(1;1)", ICC2 = "ICC(2;1)", ICC3 = "ICC(3;1)",
           ICC1k = "ICC(1;k)", ICC2k = "ICC(2;k)", ICC3k = "ICC(3;k)")
out <- do.call(rbind, lapply(names(cases), function(n) {
  r <- ICC(cases[[n]], lmer = FALSE)$results
  data.frame(case = n, form = forms[r$type], value = sprintf("%.15g", r$ICC),
             low = sprintf("%.15g", r[["lower bound"]]), high = sprintf("%.15g", r[["upper bound"]]))
}))
write.csv(out, "icc.csv", row.names = FALSE, quote = FALSE)
