# Reference values of Cox screens and subset searches in several cohorts, from the R package
# survival. Run in this folder: Rscript subset_search.R
# Writes its own simulated input (subset_search_input.csv) and what R says of it.
suppressMessages(library(survival))
set.seed(20261121)

digits <- function(x) ifelse(is.na(x), "nan", sprintf("%.17g", x))
tight <- coxph.control(eps = 1e-14, iter.max = 60, toler.chol = 1e-15)

# Three cohorts with hazards of their own, times in whole months, genes on three scales.
n <- c(70, 55, 45)
cohort <- rep(c("a", "b", "c"), n)
shared <- rnorm(sum(n))
genes <- sapply(1:12, function(g) {
  round(c(0.5, 1, 3)[1 + g %% 3] * (rnorm(sum(n)) + 0.7 * (g <= 6) * shared) + g, 3)
})
colnames(genes) <- paste0("g", 1:12)
standard <- scale(genes)
death <- rexp(sum(n), c(a = 0.03, b = 0.05, c = 0.02)[cohort] *
                exp(0.6 * standard[, 2] + 0.5 * standard[, 9]))
end <- runif(sum(n), 5, 60)
time <- ceiling(pmin(death, end))
event <- as.integer(death <= end)
input <- data.frame(cohort, time, event, genes)
write.csv(input, "subset_search_input.csv", row.names = FALSE, quote = FALSE)

rows <- list()
add <- function(model, name, value, index = 0) {
  rows[[length(rows) + 1]] <<- data.frame(model, name, index, value)
}
fit <- function(columns, data, ties) {
  terms <- c(columns, if (length(unique(data$cohort)) > 1) "strata(cohort)")
  coxph(reformulate(terms, "Surv(time, event)"), data, ties = ties, control = tight)
}

for (ties in c("efron", "breslow")) {
  for (which in c("a", "b", "c")) {
    for (g in 1:12) {
      one <- fit(paste0("g", g), input[input$cohort == which, ], ties)
      model <- paste("screen", which, ties, sep = "_")
      add(model, "coef", coef(one), g - 1)
      add(model, "se", sqrt(vcov(one)[1]), g - 1)
      add(model, "log_likelihood", one$loglik[2], g - 1)
      add(model, "score", one$score, g - 1)
    }
  }
  # Every pair and every triple: the ranking is R's.
  for (size in 2:3) {
    subsets <- combn(12, size)
    fits <- lapply(seq_len(ncol(subsets)), function(j) fit(paste0("g", subsets[, j]), input, ties))
    value <- sapply(fits, function(f) f$loglik[2])
    model <- paste("size", size, ties, sep = "_")
    add(model, "score_by_position", sapply(fits, function(f) f$score), seq_along(fits) - 1)
    best <- order(-value)[1:20]
    for (place in 1:20) {
      f <- fits[[best[place]]]
      add(model, "log_likelihood", f$loglik[2], place - 1)
      for (i in 1:size) {
        add(model, "subset", subsets[i, best[place]] - 1, size * (place - 1) + i - 1)
        add(model, "coef", coef(f)[i], size * (place - 1) + i - 1)
        add(model, "se", sqrt(diag(vcov(f)))[i], size * (place - 1) + i - 1)
      }
    }
  }
  # Each cohort left out: search all pairs in the others, concordance in it.
  for (which in c("a", "b", "c")) {
    rest <- input[input$cohort != which, ]
    out <- input[input$cohort == which, ]
    for (size in 1:3) {
      subsets <- combn(12, size)
      fits <- lapply(seq_len(ncol(subsets)),
                     function(j) fit(paste0("g", subsets[, j]), rest, ties))
      best <- which.max(sapply(fits, function(f) f$loglik[2]))
      out$risk <- as.matrix(out[, paste0("g", subsets[, best]), drop = FALSE]) %*%
        coef(fits[[best]])
      model <- paste("without", which, ties, sep = "_")
      add(model, paste0("subset_", size), subsets[, best] - 1, seq_len(size) - 1)
      add(model, "concordance",
          concordance(Surv(time, event) ~ risk, out, reverse = TRUE)$concordance, size - 1)
    }
  }
}
table <- do.call(rbind, rows)
table$value <- digits(table$value)
write.csv(table, "subset_search.csv", row.names = FALSE, quote = FALSE)
