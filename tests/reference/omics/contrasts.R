# Reference values of tests/omics/meaning/test_contrasts.py: Rscript contrasts.R, in this folder
# (metafor for Hedges' g with its interval, wilcox.test of R itself).
suppressPackageStartupMessages(library(metafor))
set.seed(20261121)
sizes <- list(small = c(9, 7), middle = c(30, 49), below = c(49, 49), large = c(50, 12), tiny = c(2, 3))
input <- do.call(rbind, lapply(names(sizes), function(case) {
  n <- sizes[[case]]
  high <- c(rep(1, n[1]), rep(0, n[2]))
  data.frame(case = case, high = high, plain = rnorm(sum(n), high * 0.6), none = rnorm(sum(n)),
             skewed = exp(rnorm(sum(n), -0.8 * high)), tied = round(rnorm(sum(n), 0.5 * high) * 2) / 2)
}))
for (name in c("plain", "none", "skewed", "tied")) input[[name]] <- signif(input[[name]], 12)
write.csv(input, "contrasts_input.csv", row.names = FALSE, quote = FALSE)
written <- function(x) sprintf("%.17g", x)
out <- do.call(rbind, lapply(names(sizes), function(case) {
  part <- input[input$case == case, ]
  do.call(rbind, lapply(c("plain", "none", "skewed", "tied"), function(name) {
    a <- part[part$high == 1, name]; b <- part[part$high == 0, name]
    e <- escalc(measure = "SMD", m1i = mean(a), m2i = mean(b), sd1i = sd(a), sd2i = sd(b),
                n1i = length(a), n2i = length(b))
    w <- suppressWarnings(wilcox.test(a, b))
    half <- qnorm(0.975) * sqrt(e$vi)
    data.frame(case = case, score = name, difference = written(e$yi), low = written(e$yi - half),
               high = written(e$yi + half), auc = written(w$statistic / (length(a) * length(b))),
               p = written(w$p.value))
  }))
}))
write.csv(out, "contrasts.csv", row.names = FALSE, quote = FALSE)
