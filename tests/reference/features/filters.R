# Reference values of tests/features/test_univariate.py, test_univariate_cox.py, test_redundancy.py,
# test_variance_filter.py and test_icc_filter.py: Rscript filters.R, in this folder (car, psych,
# survival).
suppressPackageStartupMessages({ library(car); library(psych); library(survival) })
set.seed(20261121)
n <- 60
p <- 24
latent <- matrix(rnorm(n * 6), n)
x <- latent[, rep(1:6, each = 4)] + matrix(rnorm(n * p), n) %*% diag(rep(c(0.2, 0.5, 0.9, 1.5), 6))
two <- rep(c("a", "b"), c(25, 35))
three <- rep(c("u", "v", "w"), times = 20)
x[, 1:12] <- x[, 1:12] + outer(two == "b", seq(0.1, 1.2, length.out = 12))
x[two == "b", c(2, 7, 9, 14)] <- 2.5 * x[two == "b", c(2, 7, 9, 14)]
x[, 13:18] <- x[, 13:18] + outer(three == "w", seq(0.2, 1.5, length.out = 6))
x[, 19:22] <- round(x[, 19:22], 0)
x <- sweep(x, 2, 10^rep(c(0, 3, -4, 1), 6), "*")
x[, 23] <- x[, 23] + 0.01
time <- round(rexp(n, 0.05 * exp(0.6 * latent[, 1])), 0) + 1
event <- rbinom(n, 1, 0.7)
digits <- function(v) sprintf("%.17g", v)
input <- data.frame(two, three, time, event, apply(x, 2, digits))
names(input)[5:28] <- sprintf("v%02d", 1:p)
write.csv(input, "filters_input.csv", row.names = FALSE, quote = FALSE)

each <- function(f) apply(x, 2, function(column) suppressWarnings(f(column)))
two <- factor(two)
three <- factor(three)
long <- coxph.control(eps = 1e-11, iter.max = 100)
fit <- function(column, ties) coxph(Surv(time, event) ~ column, ties = ties, control = long)
cox <- function(column, ties) summary(fit(column, ties))
out <- data.frame(
  variable = sprintf("v%02d", 1:p),
  levene_median = each(function(v) leveneTest(v, two, center = median)[1, 3]),
  levene_mean = each(function(v) leveneTest(v, two, center = mean)[1, 3]),
  student = each(function(v) t.test(v ~ two, var.equal = TRUE)$p.value),
  welch = each(function(v) t.test(v ~ two)$p.value),
  mann_whitney = each(function(v) wilcox.test(v ~ two, exact = FALSE)$p.value),
  anova = each(function(v) summary(aov(v ~ three))[[1]][1, 5]),
  welch_anova = each(function(v) oneway.test(v ~ three)$p.value),
  kruskal = each(function(v) kruskal.test(v ~ three)$p.value),
  wald = each(function(v) cox(scale(v), "efron")$waldtest[["pvalue"]]),
  score = each(function(v) cox(scale(v), "efron")$sctest[["pvalue"]]),
  likelihood_ratio = each(function(v) cox(scale(v), "efron")$logtest[["pvalue"]]),
  breslow = each(function(v) cox(scale(v), "breslow")$waldtest[["pvalue"]]),
  coef = each(function(v) fit(scale(v), "efron")$coefficients / sd(v)),
  cv = each(function(v) sd(v) / abs(mean(v))),
  iqr = each(IQR),
  relative_iqr = each(function(v) IQR(v) / abs(median(v)))
)
for (how in c("BH", "BY", "holm", "bonferroni"))
  out[[paste0("welch_", tolower(how))]] <- p.adjust(out$welch, how)
out[-1] <- lapply(out[-1], digits)
write.csv(out, "filters.csv", row.names = FALSE, quote = FALSE)

# Clusters: many variables in noisy groups of a table of its own.
m <- 120
base <- matrix(rnorm(40 * 15), 40)
y <- base[, sample(15, m, TRUE)] + matrix(rnorm(40 * m), 40) %*% diag(runif(m, 0.1, 1.2))
write.csv(apply(y, 2, digits), "clusters_input.csv", row.names = FALSE, quote = FALSE)
grid <- expand.grid(method = c("spearman", "pearson"), linkage = c("average", "complete", "single"),
                    threshold = c(0.5, 0.7, 0.85), stringsAsFactors = FALSE)
clusters <- apply(grid, 1, function(g) {
  tree <- hclust(as.dist(1 - abs(cor(y, method = g[["method"]]))), g[["linkage"]])
  cutree(tree, h = 1 - as.numeric(g[["threshold"]]))
})
colnames(clusters) <- apply(grid, 1, function(g) paste(g, collapse = "_"))
colnames(clusters) <- gsub(" ", "", colnames(clusters))
write.csv(clusters, "clusters.csv", row.names = FALSE, quote = FALSE)

# Agreement: three readings of 25 patients, 12 variables of growing noise and shifting readers.
truth <- matrix(rnorm(25 * 12), 25)
readings <- lapply(1:3, function(j)
  truth + c(0, 0.3, -0.2)[j] + matrix(rnorm(25 * 12), 25) %*% diag(seq(0.05, 1.5, length.out = 12)))
retest <- do.call(rbind, lapply(1:3, function(j)
  data.frame(patient = 1:25, reading = j, apply(readings[[j]], 2, digits))))
names(retest)[3:14] <- sprintf("f%02d", 1:12)
write.csv(retest, "icc_filter_input.csv", row.names = FALSE, quote = FALSE)
forms <- c(ICC1 = "ICC(1;1)", ICC2 = "ICC(2;1)", ICC3 = "ICC(3;1)",
           ICC1k = "ICC(1;k)", ICC2k = "ICC(2;k)", ICC3k = "ICC(3;k)")
icc <- do.call(rbind, lapply(1:12, function(v) {
  r <- ICC(sapply(readings, function(reading) reading[, v]), lmer = FALSE)$results
  data.frame(variable = sprintf("f%02d", v), form = forms[r$type], icc = digits(r$ICC),
             low = digits(r[["lower bound"]]), high = digits(r[["upper bound"]]))
}))
write.csv(icc, "icc_filter.csv", row.names = FALSE, quote = FALSE)
