# Reference values of tests/omics/scoring: Rscript gene_set_scores.R, in this folder (GSVA 1.46).
suppressPackageStartupMessages(library(GSVA))
set.seed(20270405)
p <- 200
n <- 24
genes <- sprintf("G%03d", seq_len(p))
samples <- sprintf("P%02d", seq_len(n))
factor1 <- rnorm(n)
x <- matrix(rnorm(p * n, 5, 1.2), p, dimnames = list(genes, samples))
x[1:40, ] <- x[1:40, ] + outer(runif(40, 0.2, 1), factor1)
x <- x + rnorm(p, 0, 1.5)
x["G077", ] <- 4
counts <- matrix(rnbinom(p * n, mu = exp(rnorm(p, 3, 1.5)), size = 2), p,
                 dimnames = list(genes, samples))
counts["G078", ] <- 0
write.csv(data.frame(sample = samples, t(apply(x, 2, function(v) sprintf("%.6f", v)))) |>
            setNames(c("sample", genes)), "gene_set_scores_expression.csv", row.names = FALSE, quote = FALSE)
write.csv(data.frame(sample = samples, t(counts)), "gene_set_scores_counts.csv", row.names = FALSE, quote = FALSE)
x <- t(as.matrix(read.csv("gene_set_scores_expression.csv", row.names = 1)))
tied <- round(x)

sets <- list(two = genes[c(3, 9)], five = genes[c(150, 20, 33, 61, 90)], coherent = genes[1:12],
             mixed = sample(genes, 25), wide = sample(genes, 70), with_flat = genes[70:80])
writeLines(mapply(function(name, g) paste(c(name, "simulated", g), collapse = "\t"),
                  names(sets), sets), "gene_set_scores.gmt")

rows <- list()
keep <- function(case, es) {
  for (s in rownames(es)) rows[[length(rows) + 1]] <<- data.frame(
    case = case, set = s, sample = colnames(es), value = sprintf("%.17g", es[s, ]))
}
quiet <- function(expr) suppressWarnings(suppressMessages({
  capture.output(found <- expr)
  found
}))
run <- function(m, ...) quiet(gsva(m, sets, verbose = FALSE, ...))
keep("gsva gaussian", run(x, method = "gsva", kcdf = "Gaussian"))
keep("gsva gaussian max", run(x, method = "gsva", kcdf = "Gaussian", mx.diff = FALSE))
keep("gsva gaussian tau", run(x, method = "gsva", kcdf = "Gaussian", tau = 0.25))
keep("gsva poisson", run(counts, method = "gsva", kcdf = "Poisson"))
keep("ssgsea", run(x, method = "ssgsea", kcdf = "Gaussian", ssgsea.norm = FALSE))
keep("ssgsea alpha", run(x, method = "ssgsea", kcdf = "Gaussian", ssgsea.norm = FALSE, tau = 0.75))
keep("ssgsea normalised", run(x, method = "ssgsea", kcdf = "Gaussian", ssgsea.norm = TRUE))
keep("ssgsea tied", run(tied, method = "ssgsea", kcdf = "Gaussian", ssgsea.norm = FALSE))
keep("plage", run(x, method = "plage", kcdf = "Gaussian"))
keep("zscore", run(x, method = "zscore", kcdf = "Gaussian"))

# Against a reference of the first 15: the kernel of GSVA takes the samples it is estimated on.
reference <- 1:15
varying <- apply(x, 1, sd) > 0
inner <- lapply(sets, function(g) which(genes[varying] %in% g))
frozen <- quiet(GSVA:::compute.geneset.es(x[varying, ], inner, reference, rnaseq = FALSE,
                                          abs.ranking = FALSE, verbose = FALSE))
rownames(frozen) <- names(sets)
keep("gsva gaussian frozen", frozen)
varying <- apply(counts[, reference], 1, sd) > 0
inner <- lapply(sets, function(g) which(genes[varying] %in% g))
frozen <- quiet(GSVA:::compute.geneset.es(counts[varying, ], inner, reference, rnaseq = TRUE,
                                          abs.ranking = FALSE, verbose = FALSE))
rownames(frozen) <- names(sets)
keep("gsva poisson frozen", frozen)

# Linear scores on the scale of the first 15, by R's scale, svd and prcomp.
linear <- function(f) do.call(rbind, lapply(sets, function(g) {
  g <- g[apply(x[g, reference], 1, sd) > 0]
  train <- scale(t(x[g, reference]))
  all <- scale(t(x[g, ]), attr(train, "scaled:center"), attr(train, "scaled:scale"))
  f(train, all)
}))
upright <- function(v) v * sign(sum(v))
keep("mean z frozen", linear(function(train, all) rowMeans(all)))
keep("plage frozen", linear(function(train, all) {
  s <- svd(train)
  drop(all %*% upright(s$v[, 1]) / s$d[1])
}))
keep("pc1 frozen", linear(function(train, all) drop(all %*% upright(prcomp(train)$rotation[, 1]))))
explained <- linear(function(train, all) {
  spread <- prcomp(train)$sdev^2
  c(explained = spread[1] / sum(spread))
})
colnames(explained) <- "all"
keep("pc1 explained", explained)

# Published formulae, written out, for the two methods whose packages are not in Debian.
share <- function(r, g, n) {
  low <- (length(g) + 1) / 2
  (mean(r[g]) - low) / ((2 * n - length(g) + 1) / 2 - low)
}
one <- function(m, f) do.call(rbind, lapply(sets, function(g) apply(m, 2, f, g)))
keep("singscore", one(x, function(v, g) share(rank(v, ties.method = "min"), g, p) - 0.5))
keep("singscore tied", one(tied, function(v, g) share(rank(v, ties.method = "min"), g, p) - 0.5))
half <- function(g) length(g) %/% 2
keep("singscore both", one(x, function(v, g) {
  r <- rank(v)
  share(r, head(g, half(g)), p) - 0.5 + 1 - share(r, tail(g, length(g) - half(g)), p) - 0.5
}))
# The curve is drawn step by step and its area added up, up to the place of the threshold.
recovery <- function(top) function(v, g) {
  threshold <- ceiling(top * p)
  place <- rank(-v)
  met <- sapply(seq_len(threshold - 1), function(q) sum(place[g] <= q))
  best <- sapply(seq_len(threshold - 1), function(q) min(q, length(g)))
  sum(met) / sum(best)
}
# Without the constant gene nothing ties.
keep("aucell 5 %", one(x, recovery(0.05)))
keep("aucell 20 %", one(x, recovery(0.2)))
write.csv(do.call(rbind, rows), "gene_set_scores.csv", row.names = FALSE, quote = FALSE)
