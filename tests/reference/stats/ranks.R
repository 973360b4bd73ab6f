# Reference values of tests/stats/test_ranks.py: Rscript ranks.R, in this folder (psych).
suppressPackageStartupMessages(library(psych))
set.seed(20270115)
n <- 45
common <- rnorm(n)
a <- sapply(1:6, function(j) round(common * j / 6 + rnorm(n), 1))
b <- sapply(1:6, function(j) round(common + rnorm(n), 1))
z <- cbind(round(common + rnorm(n), 1), sample(1:4, n, TRUE))
gaps <- function(m, share) { m[runif(length(m)) < share] <- NA; m }
sets <- list(complete = cbind(a, b, z),
             gaps = cbind(gaps(a, 0.2), gaps(b, 0.15), gaps(z, 0.1)))
names <- c(paste0("a", 1:6), paste0("b", 1:6), "z1", "z2")
input <- do.call(rbind, lapply(names(sets), function(s)
  data.frame(case = s, setNames(as.data.frame(sets[[s]]), names))))
write.csv(input, "ranks_input.csv", row.names = FALSE, quote = FALSE, na = "")

exact <- function(v) sprintf("%.17g", v)
row <- function(case, kind, j, rho, p, n)
  data.frame(case, kind, column = j, rho = exact(rho), p = exact(p), n)
# With k columns beside, the t of rank(x) in a linear model of rank(y) has n - 2 - k freedom.
beside <- function(case, j, m, against, kind, k) {
  t <- na.omit(cbind(x = m[, paste0("a", j)], y = m[, against], m[, paste0("z", seq_len(k)), drop = FALSE]))
  r <- as.data.frame(apply(t, 2, rank))
  rho <- partial.r(r, c("x", "y"), names(r)[-(1:2)])["x", "y"]
  p <- coef(summary(lm(y ~ ., data = r)))["x", 4]
  row(case, kind, j, rho, p, nrow(t))
}
out <- do.call(rbind, lapply(names(sets), function(s) {
  m <- setNames(as.data.frame(sets[[s]]), names)
  do.call(rbind, lapply(1:6, function(j) {
    one <- function(y, kind) {
      f <- cor.test(m[[paste0("a", j)]], m[[y]], method = "spearman", exact = FALSE)
      row(s, kind, j, f$estimate, f$p.value, sum(complete.cases(m[[paste0("a", j)]], m[[y]])))
    }
    rbind(one(paste0("b", j), "columns"), one("b1", "one"),
          beside(s, j, m, "b1", "one beside one", 1),
          beside(s, j, m, "b1", "one beside two", 2),
          beside(s, j, m, paste0("b", j), "columns beside two", 2))
  }))
}))
write.csv(out, "ranks.csv", row.names = FALSE, quote = FALSE)
