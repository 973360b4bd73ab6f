# Reference values of tests/features/test_combat.py: Rscript combat.R, in this folder (sva).
suppressPackageStartupMessages(library(sva))
options(digits = 17)
set.seed(20270311)
site <- rep(c("A", "B", "C"), c(9, 12, 8))
n <- length(site)
p <- 12
age <- round(rnorm(n, 60, 9), 1)
stage <- sample(c("I", "II", "III"), n, replace = TRUE)
shift <- matrix(rnorm(3 * p, c(-1, 0.5, 1.5), 0.7), 3)
stretch <- matrix(sqrt(1 / rgamma(3 * p, 4, 3)), 3)
at <- match(site, c("A", "B", "C"))
x <- sapply(seq_len(p), function(g) {
  30 * g + 0.05 * (g - 8) * (age - 60) + 0.8 * (stage == "III") * (g %% 2) +
    2 * (shift[at, g] + stretch[at, g] * rnorm(n))
})
x <- matrix(as.numeric(sprintf("%.17g", x)), n)
gaps <- x
gaps[cbind(sample(n, 14, replace = TRUE), sample(2:9, 14, replace = TRUE))] <- NA
flat <- x
flat[site == "B", 4] <- 7
single <- replace(site, 1, "S")

show <- function(case, m, ...) {
  values <- matrix(sprintf("%.17g", m), nrow(m))
  values[is.na(m)] <- ""
  colnames(values) <- paste0("f", seq_len(ncol(m)))
  data.frame(case = case, patient = paste0("P", seq_len(n)), ..., values)
}
input <- rbind(show("full", x, site, single, age, stage), show("gaps", gaps, site, single, age, stage),
               show("flat", flat, site, single, age, stage))
write.csv(input, "combat_input.csv", row.names = FALSE, quote = FALSE)

mod <- model.matrix(~ age + stage)
quiet <- function(...) {
  capture.output(found <- suppressMessages(ComBat(...)))
  t(found)
}
run <- function(case, m, batch = site, ...) show(case, quiet(t(m), batch, ...))
out <- rbind(
  run("parametric", x),
  run("parametric covariates", x, mod = mod),
  run("non-parametric", x, par.prior = FALSE),
  run("non-parametric covariates", x, mod = mod, par.prior = FALSE),
  run("mean only", x, mod = mod, mean.only = TRUE),
  run("non-parametric mean only", x, par.prior = FALSE, mean.only = TRUE),
  run("reference", x, mod = mod, ref.batch = "B"),
  run("non-parametric reference", x, ref.batch = "C", par.prior = FALSE),
  run("single", x, batch = single),
  run("flat", flat, mod = mod),
  run("gaps", gaps, mod = mod),
  run("gaps non-parametric", gaps, par.prior = FALSE),
  run("gaps reference", gaps, mod = mod, ref.batch = "A")
)
write.csv(out, "combat.csv", row.names = FALSE, quote = FALSE)
